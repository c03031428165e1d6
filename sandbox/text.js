/**
 * Text of whatever a script logs or throws. Hooks of the script may run here, within the time of its entry.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(caps, verdictOf) => {
  const { Error, String } = globalThis
  const { stringify } = JSON
  const slice = Function.prototype.call.bind(String.prototype.slice)

  function show(value) {
    try {
      if (typeof value === 'string') return value
      if (typeof value === 'function') return `[function ${value.name}]`
      if (value instanceof Error) return String(value.stack ?? value)
      if (typeof value === 'object' && value !== null) return stringify(value) ?? '[object]'
      return String(value)
    } catch {
      return '[cannot be shown]'
    }
  }

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

  function causeOf(error) {
    try {
      return error.cause
    } catch {
      return undefined
    }
  }

  /** What was thrown, as JSON that no hook of the script can touch. */
  function describe(thrown) {
    const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function'
    let name = 'NonError'
    let message = `${show(thrown)} was thrown: expected an Error`
    let stack = ''
    if (isObject && (textOf(thrown, 'message') !== '' || textOf(thrown, 'stack') !== '')) {
      name = textOf(thrown, 'name') || 'Error'
      message = textOf(thrown, 'message')
      stack = textOf(thrown, 'stack')
      let cause = causeOf(thrown)
      for (let depth = 0; depth < 3 && typeof cause === 'object' && cause !== null; depth++) {
        stack += `\nCaused by: ${cut(textOf(cause, 'stack') || textOf(cause, 'message'), caps.errorLength)}`
        cause = causeOf(cause)
      }
    }
    return stringify({
      __proto__: null,
      ...(isObject ? verdictOf(thrown) : undefined),
      name: cut(name, 100),
      message: cut(message, caps.errorLength),
      stack: cut(stack, caps.errorLength),
    })
  }

  return { show, cut, describe }
}
