/**
 * `structuredClone` as in the HTML standard (section 2.7). What is what is seen by its prototype first, since to ask
 * each object for what it really is would throw a dozen errors: so proxies and iterators are copied as objects, and
 * are not refused. What a script does to the prototypes only changes what it gets.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(() => {
  const { Promise, TypeError, Map, Set, WeakMap, WeakSet, WeakRef, Date, RegExp, Error, Number, String } =
    globalThis
  const { Array, ArrayBuffer, Uint8Array, DataView, DOMException, Boolean, BigInt, Symbol, Object } =
    globalThis
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
  const transferTo = method(ArrayBuffer, 'transfer')
  const lengthOf = getter(ArrayBuffer.prototype, 'byteLength')
  const isDetached = getter(ArrayBuffer.prototype, 'detached')

  const TypedArray = getPrototypeOf(Uint8Array)
  const setBytes = method(TypedArray, 'set')
  const nameOfArray = getter(TypedArray.prototype, Symbol.toStringTag)
  const partOf = (prototype, length) => ({
    buffer: getter(prototype, 'buffer'),
    offset: getter(prototype, 'byteOffset'),
    length: getter(prototype, length),
  })
  const ofArray = partOf(TypedArray.prototype, 'length')
  const ofDataView = partOf(DataView.prototype, 'byteLength')
  const arrays = { __proto__: null, DataView }
  const numbers = [
    'Int8',
    'Uint8',
    'Uint8Clamped',
    'Int16',
    'Uint16',
    'Int32',
    'Uint32',
    'BigInt64',
    'BigUint64',
  ]
  // Not every version of V8 knows all of these.
  for (const name of [...numbers, 'Float16', 'Float32', 'Float64']) {
    arrays[`${name}Array`] = globalThis[`${name}Array`]
  }
  const { isView } = ArrayBuffer

  const errors = { __proto__: null, Error }
  for (const name of ['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError']) {
    errors[name] = globalThis[name]
  }
  const never = [Promise, WeakMap, WeakSet, WeakRef]

  const refusal = (what) => new DOMException(`${what} could not be cloned`, 'DataCloneError')
  const descriptorOf = (value, enumerable) => ({
    __proto__: null,
    value,
    writable: true,
    configurable: true,
    enumerable,
  })
  const put = (object, key, value) => defineProperty(object, key, descriptorOf(value, true))
  const hide = (object, key, value) => defineProperty(object, key, descriptorOf(value, false))

  /** Whether something has the prototype of a kind, and is of that kind. @param read what only that kind stands */
  const kind = (made, read) => (value) => {
    if (!(value instanceof made)) return false
    try {
      read(value)
      return true
    } catch {
      return false
    }
  }
  const isMap = kind(Map, getter(Map.prototype, 'size'))
  const isSet = kind(Set, getter(Set.prototype, 'size'))
  const isDate = kind(Date, timeOf)
  const isRegExp = kind(RegExp, sourceOf)
  const isBuffer = kind(ArrayBuffer, lengthOf)
  /** Objects that stand for one value. */
  const boxes = [Boolean, Number, String, BigInt, Symbol].map((made) => {
    const valueOf = method(made, 'valueOf')
    return { made, isBox: kind(made, valueOf), valueOf }
  })

  function structuredClone(value, options) {
    // biome-ignore lint/complexity/noArguments: a rest would be taken apart by what a script can change
    if (arguments.length === 0) throw new TypeError('structuredClone expects a value')
    const seen = new Map()
    const transferred = takeTransfer(options?.transfer, seen)
    const copy = clone(value, seen)
    for (let at = 0; at < transferred.length; at++) move(transferred[at], getFrom(seen, transferred[at]))
    return copy
  }
  hide(globalThis, 'structuredClone', structuredClone)

  /** Each is there once in the copy, and gets its bytes when all has been cloned: that may run code of the script. */
  function takeTransfer(transfer, seen) {
    const list = transfer === undefined ? [] : [...transfer]
    for (let at = 0; at < list.length; at++) {
      const buffer = list[at]
      if (!isBuffer(buffer) || isDetached(buffer) || hasKey(seen, buffer))
        throw refusal('A value of "transfer"')
      setIn(seen, buffer, new ArrayBuffer(lengthOf(buffer)))
    }
    return list
  }

  function move(from, to) {
    if (isDetached(from)) throw refusal('A buffer without bytes')
    copyBytes(from, to)
    transferTo(from, 0)
  }

  function copyBytes(from, to) {
    setBytes(new Uint8Array(to), new Uint8Array(from))
  }

  function copyOf(buffer) {
    if (isDetached(buffer)) throw refusal('A buffer without bytes')
    const copy = new ArrayBuffer(lengthOf(buffer))
    copyBytes(buffer, copy)
    return copy
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
    if (isMap(value)) return cloneMap(value, seen)
    if (isSet(value)) return cloneSet(value, seen)
    if (isView(value)) return cloneView(value, seen)
    if (value instanceof Error) return cloneError(value, seen)
    const single = singleCopy(value)
    if (single === null) return cloneProperties(value, {}, seen)
    setIn(seen, value, single)
    return single
  }

  /** What holds nothing that has to be cloned in turn; null: it is something else. */
  function singleCopy(value) {
    if (isDate(value)) return new Date(timeOf(value))
    if (isRegExp(value)) return new RegExp(sourceOf(value), flagsOf(value))
    if (isBuffer(value)) return copyOf(value)
    for (let at = 0; at < boxes.length; at++) {
      const { made, isBox, valueOf } = boxes[at]
      if (!isBox(value)) continue
      if (made === Symbol) throw refusal('A symbol')
      return Object(valueOf(value))
    }
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
    if (typeof value.stack === 'string') hide(copy, 'stack', value.stack)
    if (hasOwn(value, 'cause')) hide(copy, 'cause', clone(value.cause, seen))
    return copy
  }
})()
