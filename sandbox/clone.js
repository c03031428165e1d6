/**
 * `structuredClone` as in the HTML standard (section 2.7), for all that a script can make. What a script does to the
 * prototypes changes nothing here.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(() => {
  const { Promise, TypeError, Map, Set, WeakMap, WeakSet, WeakRef, Date, RegExp, Error, Number, String } =
    globalThis
  const { Array, ArrayBuffer, DataView, DOMException, Boolean, BigInt, Symbol, Object } = globalThis
  const { defineProperty, getPrototypeOf, getOwnPropertyDescriptor, keys, hasOwn } = Object
  const { isArray } = Array
  const uncurry = Function.prototype.bind.bind(Function.prototype.call)
  const getter = (prototype, name) => uncurry(getOwnPropertyDescriptor(prototype, name).get)
  const method = (made, name) => uncurry(made.prototype[name])

  const [getFrom, setIn, hasKey, forEachOfMap] = ['get', 'set', 'has', 'forEach'].map((name) =>
    method(Map, name),
  )
  const [addTo, forEachOfSet] = [method(Set, 'add'), method(Set, 'forEach')]
  const timeOf = method(Date, 'getTime')
  const [sourceOf, flagsOf] = [getter(RegExp.prototype, 'source'), getter(RegExp.prototype, 'flags')]
  const [cutOut, transferTo] = [method(ArrayBuffer, 'slice'), method(ArrayBuffer, 'transfer')]
  const lengthOf = getter(ArrayBuffer.prototype, 'byteLength')

  const TypedArray = getPrototypeOf(Uint8Array)
  const nameOfArray = getter(TypedArray.prototype, Symbol.toStringTag)
  const partOf = (prototype, length) => ({
    buffer: getter(prototype, 'buffer'),
    offset: getter(prototype, 'byteOffset'),
    length: getter(prototype, length),
  })
  const ofArray = partOf(TypedArray.prototype, 'length')
  const ofDataView = partOf(DataView.prototype, 'byteLength')
  const arrays = { __proto__: null, DataView }
  for (const name of [
    'Int8',
    'Uint8',
    'Uint8Clamped',
    'Int16',
    'Uint16',
    'Int32',
    'Uint32',
    'BigInt64',
    'BigUint64',
  ]) {
    arrays[`${name}Array`] = globalThis[`${name}Array`]
  }
  for (const name of ['Float16', 'Float32', 'Float64']) {
    const made = globalThis[`${name}Array`]
    if (made !== undefined) arrays[made.name] = made
  }
  const { isView } = ArrayBuffer

  const errors = { __proto__: null, Error }
  for (const name of ['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError']) {
    errors[name] = globalThis[name]
  }
  /** Objects that stand for one value. */
  const boxes = [Boolean, Number, String, BigInt].map((made) => ({ made, valueOf: method(made, 'valueOf') }))
  const never = [Promise, WeakMap, WeakSet, WeakRef]

  const refusal = (what) => new DOMException(`${what} could not be cloned`, 'DataCloneError')
  const put = (object, key, value) =>
    defineProperty(object, key, { value, writable: true, configurable: true, enumerable: true })

  function structuredClone(value, options) {
    // biome-ignore lint/complexity/noArguments: a rest would be taken apart by what a script can change
    if (arguments.length === 0) throw new TypeError('structuredClone expects a value')
    const seen = new Map()
    const transferred = takeTransfer(options?.transfer, seen)
    const copy = clone(value, seen)
    for (let at = 0; at < transferred.length; at++) transferTo(transferred[at], 0)
    return copy
  }
  defineProperty(globalThis, 'structuredClone', {
    value: structuredClone,
    writable: true,
    configurable: true,
    enumerable: false,
  })

  /** Each is there once in the copy; the script's own loses its bytes when all has been cloned. */
  function takeTransfer(transfer, seen) {
    const list = transfer === undefined ? [] : [...transfer]
    for (let at = 0; at < list.length; at++) {
      if (!isBuffer(list[at]) || hasKey(seen, list[at])) throw refusal('A value of "transfer"')
      setIn(seen, list[at], cutOut(list[at], 0))
    }
    return list
  }

  function isBuffer(value) {
    try {
      return lengthOf(value) >= 0
    } catch {
      return false
    }
  }

  function clone(value, seen) {
    if (typeof value === 'symbol') throw refusal(String(value))
    if (typeof value === 'function') throw refusal('A function')
    if (typeof value !== 'object' || value === null) return value
    if (hasKey(seen, value)) return getFrom(seen, value)
    const prototype = getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return cloneProperties(value, {}, seen)
    if (isArray(value)) return cloneProperties(value, new Array(value.length), seen)
    return cloneSpecial(value, seen)
  }

  function cloneProperties(value, copy, seen) {
    setIn(seen, value, copy)
    const names = keys(value)
    for (let at = 0; at < names.length; at++) {
      if (hasOwn(value, names[at])) put(copy, names[at], clone(value[names[at]], seen))
    }
    return copy
  }

  function cloneSpecial(value, seen) {
    if (value instanceof Map) return cloneMap(value, seen)
    if (value instanceof Set) return cloneSet(value, seen)
    if (isView(value)) return cloneView(value, seen)
    if (value instanceof Error) return cloneError(value, seen)
    const single = singleCopy(value)
    if (single === null) return cloneProperties(value, {}, seen)
    setIn(seen, value, single)
    return single
  }

  /** What holds nothing that has to be cloned in turn; null: it is something else. */
  function singleCopy(value) {
    if (value instanceof Date) return new Date(timeOf(value))
    if (value instanceof RegExp) return new RegExp(sourceOf(value), flagsOf(value))
    if (value instanceof ArrayBuffer) return cutOut(value, 0)
    for (let at = 0; at < boxes.length; at++) {
      if (value instanceof boxes[at].made) return Object(boxes[at].valueOf(value))
    }
    if (value instanceof Symbol) throw refusal('A symbol')
    for (let at = 0; at < never.length; at++) {
      if (value instanceof never[at]) throw refusal(`A ${never[at].name}`)
    }
    return null
  }

  /** Of what it has before anything is cloned: that may run code of the script. */
  function cloneMap(value, seen) {
    const copy = new Map()
    setIn(seen, value, copy)
    const entries = []
    forEachOfMap(value, (item, key) => put(entries, entries.length, { key, item }))
    for (let at = 0; at < entries.length; at++) {
      setIn(copy, clone(entries[at].key, seen), clone(entries[at].item, seen))
    }
    return copy
  }

  function cloneSet(value, seen) {
    const copy = new Set()
    setIn(seen, value, copy)
    const items = []
    forEachOfSet(value, (item) => put(items, items.length, item))
    for (let at = 0; at < items.length; at++) addTo(copy, clone(items[at], seen))
    return copy
  }

  /** Views of one buffer are views of one buffer again. */
  function cloneView(value, seen) {
    const name = nameOfArray(value) ?? 'DataView'
    const part = name === 'DataView' ? ofDataView : ofArray
    const buffer = clone(part.buffer(value), seen)
    const copy = new arrays[name](buffer, part.offset(value), part.length(value))
    setIn(seen, value, copy)
    return copy
  }

  function cloneError(value, seen) {
    const message = hasOwn(value, 'message') ? String(value.message) : undefined
    const name = String(value.name)
    const copy =
      value instanceof DOMException ? new DOMException(message, name) : new (errors[name] ?? Error)(message)
    setIn(seen, value, copy)
    const hidden = { writable: true, configurable: true, enumerable: false }
    if (typeof value.stack === 'string') defineProperty(copy, 'stack', { ...hidden, value: value.stack })
    if (hasOwn(value, 'cause')) {
      defineProperty(copy, 'cause', { ...hidden, value: clone(value.cause, seen) })
    }
    return copy
  }
})()
