/** What a script returns, made so that looking at it does harm. */
import { type Attack, error, limitOrNothing, nothing, time } from '../attack.ts'

export const returned: readonly Attack[] = [
  {
    number: 121,
    name: 'bnd-return-proxy',
    callback: '() => new Proxy({ a: 1 }, { get() { for (;;); } })',
    outcomes: time,
  },
  {
    number: 123,
    name: 'bnd-return-getter',
    callback: `() => ({ get a() { return 'from-getter' } })`,
    outcomes: nothing,
  },
  {
    number: 125,
    name: 'bnd-return-getter-loop-async',
    callback: 'async () => ({ get a() { for (;;); } })',
    outcomes: nothing,
  },
  {
    number: 127,
    name: 'bnd-return-thenable',
    callback: `() => ({ then(r) { r('thenable!') } })`,
    outcomes: nothing,
  },
  {
    number: 129,
    name: 'bnd-async-return-thenable-loop',
    callback: 'async () => ({ then() { for (;;); } })',
    outcomes: time,
  },
  {
    number: 133,
    name: 'bnd-return-toPrimitive',
    callback:
      '() => ({ [Symbol.toPrimitive]() { for (;;); }, valueOf() { for (;;); }, toString() { for (;;); } })',
    outcomes: nothing,
  },
  {
    number: 135,
    name: 'bnd-return-function',
    callback: '() => function evil() { return 1 }',
    outcomes: nothing,
  },
  { number: 137, name: 'bnd-return-symbol', callback: `() => Symbol('x')`, outcomes: nothing },
  {
    number: 139,
    name: 'bnd-return-wasm-module',
    callback: '() => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))',
    outcomes: error,
  },
  {
    number: 141,
    name: 'bnd-return-detached-ab',
    callback:
      '() => { const b = new ArrayBuffer(8); const u = new Uint8Array(b); b.transfer(); return { u } }',
    outcomes: nothing,
  },
  {
    number: 143,
    name: 'bnd-return-resizable-getter',
    callback: `() => {
      const b = new ArrayBuffer(1 << 20, { maxByteLength: 1 << 20 })
      return { get a() { b.resize(0); return 1 }, u: new Uint8Array(b), z: 1 }
    }`,
    outcomes: error,
  },
  {
    number: 145,
    name: 'bnd-return-holey-huge',
    callback: '() => { const a = []; a[4294967290] = 1; return a }',
    outcomes: nothing,
  },
  {
    number: 147,
    name: 'bnd-return-array-dense-holes',
    callback: '() => { return new Array(3e7) }',
    outcomes: limitOrNothing,
  },
  {
    number: 520,
    name: 'bnd-return-then-getter-loop',
    callback: '() => ({ get then() { for (;;); } })',
    outcomes: time,
  },
  {
    number: 521,
    name: 'bnd-return-promise-of-another-kind',
    callback: '() => { class P extends Promise { then() { for (;;); } } return P.resolve(1) }',
    outcomes: time,
  },
  {
    number: 522,
    name: 'bnd-return-promise-constructor-loop',
    callback: `() => Object.defineProperty(Promise.resolve(1), 'constructor', { get() { for (;;); } })`,
    outcomes: time,
  },
  {
    number: 523,
    name: 'bnd-return-what-it-was-given',
    callback: '(event, host) => { event.host = host; event.self = event; return event }',
    outcomes: nothing,
  },
  { number: 524, name: 'bnd-return-everything', callback: '() => globalThis', outcomes: nothing },
  {
    number: 525,
    name: 'bnd-resolve-twice',
    callback: `() => ({ then(resolve, reject) { resolve(1); reject(new Error('x')); throw new Error('y') } })`,
    outcomes: nothing,
  },
]
