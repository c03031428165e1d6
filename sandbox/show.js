/**
 * Text of whatever a script logs or throws: JSON where it has a word for it, else much as Node shows it, and never more
 * than a line of the log takes. Hooks of the script may run here, within the time of its entry.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(caps) => {
  const { Error, Map, Set, String } = globalThis
  const { stringify } = JSON
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const { keys } = Object
  const bound = (method) => Function.prototype.call.bind(method)
  const slice = bound(String.prototype.slice)
  const eachOfMap = bound(Map.prototype.forEach)
  const eachOfSet = bound(Set.prototype.forEach)
  const deepest = 6
  const mostItems = 100
  const mostErrors = 5
  const mostCauses = 3

  function cut(text, length) {
    return text.length > length ? `${slice(text, 0, length)}…` : text
  }

  function textOf(object, property) {
    try {
      const value = object[property]
      return typeof value === 'string' ? value : ''
    } catch {
      return ''
    }
  }

  /** With what caused it, and what several it is one of. */
  function stackOf(error) {
    let text = textOf(error, 'stack') || textOf(error, 'message')
    try {
      const { errors } = error
      for (let at = 0; isArray(errors) && at < errors.length && at < mostErrors; at++) {
        const inner = textOf(errors[at], 'stack') || show(errors[at])
        text += `\nError ${at + 1} of ${errors.length}: ${cut(inner, caps.errorLength)}`
      }
      let { cause } = error
      for (let depth = 0; depth < mostCauses && cause !== undefined && cause !== null; depth++) {
        text += `\nCaused by: ${cut(textOf(cause, 'stack') || textOf(cause, 'message') || show(cause), caps.errorLength)}`
        cause = cause.cause
      }
    } catch {
      // What a script makes of its errors is its own affair.
    }
    return text
  }

  function show(value) {
    try {
      if (typeof value === 'string') return value
      if (value instanceof Error) return stackOf(value) || String(value)
      return inner(value, null, { __proto__: null, left: caps.logLineLength })
    } catch {
      return '[cannot be shown]'
    }
  }

  /** @param above the objects that this is in, the nearest first. @param room what the text may still take */
  function inner(value, above, room) {
    if (room.left <= 0) return '…'
    if (typeof value === 'object' && value !== null) return composite(value, above, room)
    const text = plain(value)
    room.left -= text.length
    return text
  }

  function plain(value) {
    switch (typeof value) {
      case 'string':
        return stringify(value)
      case 'bigint':
        return `${value}n`
      case 'function':
        return `[function ${value.name}]`
      default:
        return String(value)
    }
  }

  function composite(value, above, room) {
    for (let each = above; each !== null; each = each.above) if (each.value === value) return '[circular]'
    const inside = { __proto__: null, value, above, depth: above === null ? 1 : above.depth + 1 }
    if (value instanceof Error) return `[${textOf(value, 'name') || 'Error'}: ${textOf(value, 'message')}]`
    if (inside.depth > deepest) return isArray(value) ? '[array]' : '[object]'
    if (value instanceof Map) return ofMap(value, inside, room)
    if (value instanceof Set) return ofSet(value, inside, room)
    if (isView(value) && typeof value.length === 'number') {
      return `${value.constructor.name}(${value.length}) ${list(value, inside, room)}`
    }
    if (isArray(value)) return list(value, inside, room)
    if (typeof value.toJSON === 'function') return inner(value.toJSON(), inside, room)
    const names = keys(value)
    return joined('{', '}', names.length, room, (at) => {
      const name = stringify(names[at])
      room.left -= name.length
      return `${name}:${inner(value[names[at]], inside, room)}`
    })
  }

  function list(values, inside, room) {
    return joined('[', ']', values.length, room, (at) => inner(values[at], inside, room))
  }

  function ofMap(map, inside, room) {
    const parts = []
    eachOfMap(map, (value, key) => {
      if (parts.length <= mostItems && room.left > 0)
        parts[parts.length] = `${inner(key, inside, room)} => ${inner(value, inside, room)}`
    })
    return `Map(${map.size}) ${joined('{', '}', map.size, room, (at) => parts[at] ?? '…')}`
  }

  function ofSet(set, inside, room) {
    const parts = []
    eachOfSet(set, (value) => {
      if (parts.length <= mostItems && room.left > 0) parts[parts.length] = inner(value, inside, room)
    })
    return `Set(${set.size}) ${joined('{', '}', set.size, room, (at) => parts[at] ?? '…')}`
  }

  function joined(open, close, count, room, part) {
    let text = open
    for (let at = 0; at < count; at++) {
      if (at >= mostItems || room.left <= 0) {
        text += `… ${count - at} more`
        break
      }
      text += part(at)
      if (at < count - 1) text += ','
      room.left -= 1
    }
    return text + close
  }

  return { show, cut, textOf, stackOf }
}
