/**
 * Functions that authors know from browsers and Node, and that the language itself does not have:
 * DOMException, structuredClone, queueMicrotask, btoa, atob. Timers are in prelude.js, since they need the host.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(() => {
  const { Promise, TypeError, Map, Set, Date, RegExp, Error, ArrayBuffer, DataView, Uint8Array, String } =
    globalThis
  const { defineProperty, getPrototypeOf, prototype: objectPrototype } = Object
  const { ownKeys, apply, get } = Reflect
  const { isArray } = Array
  const { toString } = objectPrototype
  const { captureStackTrace } = Error

  function define(name, value) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
  }

  class DOMException extends Error {
    constructor(message = '', name = 'Error') {
      super(message)
      defineProperty(this, 'name', { value: String(name), configurable: true, writable: true })
      // Again, now that it has its name.
      captureStackTrace(this, new.target)
    }
  }
  define('DOMException', DOMException)

  define('queueMicrotask', function queueMicrotask(callback) {
    if (typeof callback !== 'function') throw new TypeError('queueMicrotask expects a function')
    // What it throws becomes a rejection that nobody handles: it is charged to the run.
    Promise.resolve().then(() => {
      callback()
    })
  })

  define('structuredClone', function structuredClone(value) {
    return clone(value, new Map())
  })

  function clone(value, seen) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new DOMException(`${String(value)} could not be cloned`, 'DataCloneError')
    }
    if (typeof value !== 'object' || value === null) return value
    if (seen.has(value)) return seen.get(value)
    const copy = emptyCopy(value)
    seen.set(value, copy)
    if (copy instanceof Map) for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen))
    else if (copy instanceof Set) for (const item of value) copy.add(clone(item, seen))
    else if (copy instanceof Error) copy.stack = String(value.stack)
    else if (isArray(copy) || getPrototypeOf(copy) === objectPrototype) {
      for (const key of ownKeys(value)) {
        if (typeof key === 'symbol' || !apply(objectPrototype.propertyIsEnumerable, value, [key])) continue
        const item = clone(get(value, key), seen)
        defineProperty(copy, key, { value: item, writable: true, configurable: true, enumerable: true })
      }
    }
    return copy
  }

  function emptyCopy(value) {
    if (isArray(value)) return new Array(value.length)
    if (value instanceof Map) return new Map()
    if (value instanceof Set) return new Set()
    if (value instanceof Date) return new Date(+value)
    if (value instanceof RegExp) return new RegExp(value.source, value.flags)
    if (value instanceof Error) return new Error(String(value.message))
    if (value instanceof ArrayBuffer) return value.slice(0)
    if (ArrayBuffer.isView(value)) {
      const buffer = value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)
      return value instanceof DataView ? new DataView(buffer) : new value.constructor(buffer)
    }
    if (apply(toString, value, []) === '[object Promise]' || value instanceof WeakMap) {
      throw new DOMException('The object could not be cloned', 'DataCloneError')
    }
    return {}
  }

  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const sextets = new Uint8Array(128).fill(255)
  for (let i = 0; i < 64; i++) sextets[alphabet.charCodeAt(i)] = i

  define('btoa', function btoa(binary) {
    const text = String(binary)
    let encoded = ''
    for (let i = 0; i < text.length; i += 3) {
      const [a, b, c] = [text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2)]
      if (a > 255 || b > 255 || c > 255) {
        throw new DOMException('btoa expects characters up to U+00FF', 'InvalidCharacterError')
      }
      encoded += alphabet[a >> 2] + alphabet[((a & 3) << 4) | (b >> 4)]
      encoded += i + 1 < text.length ? alphabet[((b & 15) << 2) | (c >> 6)] : '='
      encoded += i + 2 < text.length ? alphabet[c & 63] : '='
    }
    return encoded
  })

  define('atob', function atob(encoded) {
    let text = String(encoded).replace(/[\t\n\f\r ]/g, '')
    if (text.length % 4 === 0) text = text.replace(/==?$/, '')
    if (text.length % 4 === 1) throw new DOMException('atob expects base64', 'InvalidCharacterError')
    let decoded = ''
    for (let i = 0, bits = 0, width = 0; i < text.length; i++) {
      const sextet = sextets[text.charCodeAt(i)] ?? 255
      if (sextet === 255) throw new DOMException('atob expects base64', 'InvalidCharacterError')
      bits = ((bits << 6) | sextet) & 0xffff
      width += 6
      if (width >= 8) {
        width -= 8
        decoded += String.fromCharCode((bits >> width) & 255)
      }
    }
    return decoded
  })
})()
