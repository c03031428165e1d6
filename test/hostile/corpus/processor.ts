/** Attacks on the processor: what does not end, and what cannot be interrupted. */
import { type Attack, error, limitOrError, limitOrNothing, nothing, time, timeOrMemory } from '../attack.ts'

export const processor: readonly Attack[] = [
  { number: 1, name: 'cpu-infinite-loop', callback: '() => { for (;;); }', outcomes: time },
  {
    number: 5,
    name: 'cpu-microtask-flood-detached',
    callback: '() => { (async () => { for (;;) await 0 })(); return 1 }',
    outcomes: time,
  },
  {
    number: 7,
    name: 'cpu-microtask-rearm',
    callback:
      '() => { function bad() { Promise.resolve().then(() => { bad(); for (;;); }) } bad(); for (;;); }',
    outcomes: time,
  },
  {
    number: 9,
    name: 'cpu-async-loop-host',
    callback: `async (event, host) => { for (;;) await host.kv.get('a') }`,
    outcomes: time,
  },
  {
    number: 11,
    name: 'cpu-host-never-resolves',
    callback: `async (event, host) => { await host.kv.get('a'); await new Promise(() => {}) }`,
    outcomes: time,
  },
  {
    number: 13,
    name: 'cpu-sync-host-loop',
    callback: `(event, host) => { for (;;) host.kv.get('a') }`,
    outcomes: timeOrMemory,
  },
  {
    number: 15,
    name: 'cpu-regex-replace-big',
    callback: `() => { let s = 'a'.repeat(1 << 20); return s.replace(/(a*)*b/g, '').length }`,
    outcomes: limitOrError,
  },
  {
    number: 17,
    name: 'cpu-bigint-pow',
    callback: '() => { let x = 3n ** (2n ** 24n); x = x * x; return x.toString().length }',
    outcomes: timeOrMemory,
  },
  {
    number: 19,
    name: 'cpu-string-localeCompare/Intl',
    callback: `() => { const s = 'é'.repeat(1 << 22); for (;;) s.normalize('NFD').localeCompare(s) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 21,
    name: 'cpu-array-join-sparse',
    callback: `() => { const a = []; a.length = 2 ** 32 - 1; return a.join('').length }`,
    outcomes: limitOrNothing,
  },
  {
    number: 23,
    name: 'cpu-typedarray-sort',
    callback:
      '() => { const a = new Float64Array(4e6).map(Math.random); for (;;) a.sort((x, y) => Math.random() - .5) }',
    outcomes: timeOrMemory,
  },
  {
    number: 25,
    name: 'cpu-finally-generator',
    callback: '() => { function* g() { try { yield 1 } finally { for (;;); } } for (const x of g()) break }',
    outcomes: time,
  },
  {
    number: 27,
    name: 'cpu-array-from-iter',
    callback: '() => Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }).length',
    outcomes: timeOrMemory,
  },
  {
    number: 29,
    name: 'cpu-atomics-wait',
    callback: '() => { Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0) }',
    outcomes: error,
  },
  {
    number: 31,
    name: 'cpu-json-stringify-toJSON',
    callback: '() => JSON.stringify({ toJSON() { for (;;); } })',
    outcomes: time,
  },
  {
    number: 33,
    name: 'cpu-eval-compile-bomb',
    callback: `() => { for (let i = 0; ; i++) new Function('a', 'return ' + 'a+'.repeat(1e5) + i)(1) }`,
    outcomes: error,
  },

  // Native code that no timeout interrupts.
  {
    number: 201,
    name: 'cpu-bigint-write-loop',
    callback: '() => { const x = 7n ** 400000n; for (;;) x.toString() }',
    outcomes: time,
  },
  {
    number: 202,
    name: 'cpu-bigint-multiply',
    callback: '() => { let x = 3n; for (;;) x = x * x }',
    outcomes: limitOrError,
  },
  {
    number: 203,
    name: 'cpu-bigint-read',
    callback: `() => BigInt('9'.repeat(2e7))`,
    outcomes: limitOrError,
  },
  {
    number: 204,
    name: 'cpu-bigint-divide',
    callback: '() => { const x = 3n ** 20000000n, y = 7n ** 3000000n; for (;;) x % y }',
    outcomes: limitOrError,
  },
  {
    number: 205,
    name: 'cpu-bigint-format',
    callback: `() => new Intl.NumberFormat('de').format(7n ** 2000000n).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 206,
    name: 'cpu-search-through-nothing',
    callback: '() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
    outcomes: time,
  },
  {
    number: 207,
    name: 'cpu-reverse-nothing',
    callback: '() => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })',
    outcomes: time,
  },
  {
    number: 208,
    name: 'cpu-sort-nothing',
    callback: '() => Array.prototype.sort.call({ length: 2 ** 53 - 1 })',
    outcomes: limitOrError,
  },
  {
    number: 209,
    name: 'cpu-raw-without-end',
    callback: '() => String.raw({ raw: { length: 2 ** 53 - 1 } })',
    outcomes: limitOrError,
  },
  {
    number: 210,
    name: 'cpu-normalize-expanding',
    callback: `() => { for (;;) '\\ufdfa'.repeat(4e5).normalize('NFKD') }`,
    outcomes: timeOrMemory,
  },
  {
    number: 211,
    name: 'cpu-collator-numeric',
    callback: `() => {
      const collator = new Intl.Collator('de', { numeric: true }), s = 'é9'.repeat(1 << 21)
      for (;;) collator.compare(s, s + 'a')
    }`,
    outcomes: timeOrMemory,
  },
  {
    number: 212,
    name: 'cpu-many-locales',
    callback: `() => Intl.getCanonicalLocales(Array.from({ length: 2e5 }, (_, i) => 'en-u-ca-x' + (i + 1e5)))`,
    outcomes: limitOrNothing,
  },
  {
    number: 213,
    name: 'cpu-encode-uri',
    callback: `() => { const s = '€'.repeat(1 << 20); for (;;) encodeURIComponent(s) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 214,
    name: 'cpu-typedarray-search',
    callback: '() => { const a = new Uint8Array(2e7); for (;;) a.indexOf(1) }',
    outcomes: time,
  },
  {
    number: 215,
    name: 'cpu-typedarray-sort-native',
    callback:
      '() => { const a = new Float64Array(2e6).map((_, i) => (i * 7919) % 1000003); for (;;) a.toSorted() }',
    outcomes: timeOrMemory,
  },
  {
    number: 216,
    name: 'cpu-array-sort-native',
    callback:
      '() => { const a = Array.from({ length: 1e6 }, (_, i) => (i * 7919) % 1000003); for (;;) a.toSorted() }',
    outcomes: timeOrMemory,
  },
  {
    number: 217,
    name: 'cpu-json-indented',
    callback: `() => { const a = Array(1e6).fill({ a: 1 }); for (;;) JSON.stringify(a, null, 10) }`,
    outcomes: limitOrError,
  },
  {
    number: 218,
    name: 'cpu-segmenter',
    callback: `() => { for (;;) for (const s of new Intl.Segmenter('th', { granularity: 'word' }).segment('ก'.repeat(1e6))); }`,
    outcomes: timeOrMemory,
  },
  {
    number: 219,
    name: 'cpu-drop-for-ever',
    callback: '() => Iterator.from({ next: () => ({ done: false }) }).drop(Infinity).next()',
    outcomes: time,
  },

  // Regular expressions.
  { number: 230, name: 'cpu-regex', callback: `() => /(a*)*b/.test('a'.repeat(40))`, outcomes: time },
  {
    number: 231,
    name: 'cpu-regex-lookbehind',
    callback: `() => /(?<=b(?:a|a)*)c/.test('a'.repeat(40) + 'c')`,
    outcomes: time,
  },
  {
    number: 232,
    name: 'cpu-regex-backreference',
    callback: `() => /^(?:(a+)\\1*)+$/.test('a'.repeat(40) + 'b')`,
    outcomes: time,
  },
  {
    number: 233,
    name: 'cpu-regex-split',
    callback: `() => 'a'.repeat(1e5).split(/(?:a?){30}a{30}b/).length`,
    outcomes: limitOrError,
  },
  {
    number: 234,
    name: 'cpu-regex-compile',
    callback: `() => { for (let i = 0; ; i++) new RegExp('[^\\\\p{L}' + i + ']'.repeat(1) + '[\\\\p{Lu}\\\\P{N}]{50}'.repeat(20), 'iu').test('aB3') }`,
    outcomes: limitOrError,
  },
  {
    number: 235,
    name: 'cpu-regex-last-index',
    callback: `() => { const r = /x/g; r.exec = () => ({ index: 0, 0: '', length: 1 }); 'abc'.replace(r, 'y') }`,
    outcomes: limitOrError,
  },

  // Loops in places where an end would have to come out.
  {
    number: 240,
    name: 'cpu-labels',
    callback: '() => { outer: for (;;) { for (;;) continue outer } }',
    outcomes: time,
  },
  {
    number: 241,
    name: 'cpu-finally-overrides',
    callback: '() => { for (;;) { try { return } finally { continue } } }',
    outcomes: time,
  },
  {
    number: 242,
    name: 'cpu-catch-and-go-on',
    callback: '() => { for (;;) try { for (;;); } catch {} finally { for (;;); } }',
    outcomes: time,
  },
  {
    number: 243,
    name: 'cpu-recursion-in-finally',
    callback: '() => { function f() { try { f() } finally { f() } } f() }',
    outcomes: time,
  },
  {
    number: 244,
    name: 'cpu-sort-comparator',
    callback: '() => [3, 2, 1].sort(() => { for (;;); })',
    outcomes: time,
  },
  {
    number: 245,
    name: 'cpu-proxy-own-keys',
    callback: '() => Object.keys(new Proxy({}, { ownKeys() { for (;;); } }))',
    outcomes: time,
  },
  {
    number: 246,
    name: 'cpu-to-primitive',
    callback: '() => +{ [Symbol.toPrimitive]() { for (;;); } }',
    outcomes: time,
  },
  {
    number: 247,
    name: 'cpu-set-union',
    callback:
      '() => new Set([1]).union({ size: 1, has() {}, keys: () => ({ next: () => ({ done: false, value: 1 }) }) })',
    outcomes: time,
  },
  {
    number: 248,
    name: 'cpu-iterator-return',
    callback:
      '() => { const [a] = { [Symbol.iterator]: () => ({ next: () => ({ done: false }), return() { for (;;); } }) } }',
    outcomes: time,
  },
  {
    number: 249,
    name: 'cpu-generator-finally-async',
    callback:
      'async () => { async function* g() { try { yield 1 } finally { for (;;) await 0 } } for await (const x of g()) break }',
    outcomes: time,
  },

  // Promises and timers.
  {
    number: 260,
    name: 'cpu-async-generator',
    callback: 'async () => { async function* g() { for (;;) yield 1 } for await (const x of g()); }',
    outcomes: time,
  },
  {
    number: 261,
    name: 'cpu-array-from-async',
    callback: 'async () => Array.fromAsync((async function* () { for (;;) yield 1 })())',
    outcomes: timeOrMemory,
  },
  {
    number: 262,
    name: 'cpu-promise-all',
    callback: '() => Promise.all({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) })',
    outcomes: timeOrMemory,
  },
  {
    number: 263,
    name: 'cpu-thenable-of-itself',
    callback: 'async () => { const it = { then(resolve) { resolve(it) } }; await it }',
    outcomes: time,
  },
  {
    number: 264,
    name: 'cpu-queue-microtask',
    callback: '() => { const f = () => queueMicrotask(f); f() }',
    outcomes: time,
  },
  { number: 265, name: 'cpu-never-settles', callback: '() => new Promise(() => {})', outcomes: time },
  {
    number: 266,
    name: 'cpu-spin-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); for (;;); }`,
    outcomes: time,
  },
  {
    number: 267,
    name: 'cpu-microtasks-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); for (;;) await 0 }`,
    outcomes: time,
  },
  {
    number: 268,
    name: 'cpu-spin-detached-after-host',
    callback: `(event, host) => { host.kv.get('a').then(() => { for (;;); }) }`,
    outcomes: time,
  },
  {
    number: 269,
    name: 'cpu-wedge-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }`,
    outcomes: time,
  },
  {
    number: 270,
    name: 'cpu-host-chain-detached',
    callback: `(event, host) => { const f = () => host.kv.get('a').then(f); f() }`,
    outcomes: time,
  },
  {
    number: 271,
    name: 'cpu-timers-awaited',
    callback: '() => new Promise(() => { const f = () => setTimeout(f, 0); f() })',
    outcomes: time,
  },
  {
    number: 272,
    name: 'cpu-timers-detached',
    callback: '() => { const f = () => setTimeout(f, 0); f() }',
    outcomes: nothing,
  },
  {
    number: 273,
    name: 'cpu-spin-in-timer',
    callback: '() => new Promise(() => setTimeout(() => { for (;;); }, 1))',
    outcomes: time,
  },
  {
    number: 274,
    name: 'cpu-wedge-in-timer',
    callback:
      '() => new Promise(() => setTimeout(() => Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1), 1))',
    outcomes: time,
  },
  {
    number: 275,
    name: 'cpu-waits-longer-than-it-may',
    callback: '() => new Promise((resolve) => setTimeout(resolve, 3_600_000))',
    outcomes: time,
  },
  {
    number: 276,
    name: 'cpu-dates',
    callback: `() => { for (let i = 0; ; i++) Date.parse('2026-01-01T00:00:00.' + i) + Date.parse('1 Jan 2026 ' + i + ' '.repeat(1e4)) }`,
    outcomes: time,
  },
  {
    number: 277,
    name: 'cpu-dates-written',
    callback: `() => { for (;;) new Date().toLocaleString('ar-EG', { timeZone: 'Asia/Kolkata', calendar: 'islamic' }) }`,
    outcomes: timeOrMemory,
  },
]
