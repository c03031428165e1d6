/**
 * Runs first in every isolate: takes away what a callback has no use for and what cannot be bounded.
 * Memory outside the heap that is not counted, waiting without an end, code made from text, and callbacks that
 * run outside of any run.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(() => {
  const { defineProperty, getPrototypeOf } = Object
  const { construct } = Reflect
  const { EvalError, RangeError, TypeError } = globalThis

  for (const name of [
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
    'FinalizationRegistry',
    'eval',
    'console',
  ]) {
    delete globalThis[name]
  }

  // Every way to the four constructors that compile text goes through `constructor` of their prototypes.
  function refuse() {
    throw new EvalError('Code cannot be made from text inside a script')
  }
  defineProperty(refuse, 'name', { value: 'Function' })
  defineProperty(refuse, 'prototype', { value: getPrototypeOf(refuse), writable: false })
  const functions = [() => {}, async () => {}, function* () {}, async function* () {}]
  for (const made of functions) {
    const descriptor = { value: refuse, writable: true, configurable: true, enumerable: false }
    defineProperty(getPrototypeOf(made), 'constructor', descriptor)
  }
  defineProperty(globalThis, 'Function', {
    value: refuse,
    writable: true,
    configurable: true,
    enumerable: false,
  })

  // A hook that formats stacks would run whenever an error is looked at, and sees functions of others.
  defineProperty(Error, 'prepareStackTrace', { get: () => undefined, set: () => {}, configurable: false })

  // Resizable buffers are not counted against the memory of an isolate.
  const Native = ArrayBuffer
  function FixedArrayBuffer(length, options) {
    if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'")
    if (options?.maxByteLength !== undefined) throw new RangeError('A script cannot make resizable buffers')
    return construct(Native, [length], new.target === FixedArrayBuffer ? Native : new.target)
  }
  defineProperty(FixedArrayBuffer, 'name', { value: 'ArrayBuffer' })
  defineProperty(FixedArrayBuffer, 'length', { value: 1 })
  defineProperty(FixedArrayBuffer, 'prototype', { value: Native.prototype, writable: false })
  defineProperty(FixedArrayBuffer, 'isView', { value: Native.isView, writable: true, configurable: true })
  defineProperty(FixedArrayBuffer, Symbol.species, {
    get() {
      return this
    },
    configurable: true,
  })
  const descriptor = { value: FixedArrayBuffer, writable: true, configurable: true, enumerable: false }
  defineProperty(Native.prototype, 'constructor', descriptor)
  defineProperty(globalThis, 'ArrayBuffer', descriptor)
})()
