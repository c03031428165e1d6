/**
 * Functions that authors know from browsers and Node, and that the language itself does not have:
 * DOMException, queueMicrotask, btoa, atob. Timers are in prelude.js, since they need the host.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(() => {
  const { Promise, TypeError, Error, Uint8Array, String } = globalThis
  const { defineProperty } = Object
  const { captureStackTrace } = Error

  function define(name, value) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
  }

  /** Of those that had a number before they had a name (Web IDL, section 2.8.1). */
  const codes = {
    __proto__: null,
    IndexSizeError: 1,
    HierarchyRequestError: 3,
    WrongDocumentError: 4,
    InvalidCharacterError: 5,
    NoModificationAllowedError: 7,
    NotFoundError: 8,
    NotSupportedError: 9,
    InUseAttributeError: 10,
    InvalidStateError: 11,
    SyntaxError: 12,
    InvalidModificationError: 13,
    NamespaceError: 14,
    InvalidAccessError: 15,
    TypeMismatchError: 17,
    SecurityError: 18,
    NetworkError: 19,
    AbortError: 20,
    URLMismatchError: 21,
    QuotaExceededError: 22,
    TimeoutError: 23,
    InvalidNodeTypeError: 24,
    DataCloneError: 25,
  }

  class DOMException extends Error {
    constructor(message = '', name = 'Error') {
      super(message)
      defineProperty(this, 'name', { value: String(name), configurable: true, writable: true })
      // Again, now that it has its name.
      captureStackTrace(this, new.target)
    }

    get code() {
      return codes[this.name] ?? 0
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
