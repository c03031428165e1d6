/** Attacks on memory: the heap, what is beside it, and what is not counted. */
import { type Attack, error, limitOrError, limitOrNothing, nothing, time, timeOrMemory } from '../attack.ts'

export const memory: readonly Attack[] = [
  {
    number: 35,
    name: 'mem-array-push',
    callback: '() => { const a = []; for (;;) a.push({ x: 1, y: [1, 2, 3] }) }',
    outcomes: timeOrMemory,
  },
  {
    number: 37,
    name: 'mem-new-array-fill',
    callback: '() => { const k = []; for (;;) k.push(new Array(1e7).fill(1.1)) }',
    outcomes: timeOrMemory,
  },
  {
    number: 39,
    name: 'mem-issue527',
    callback: `() => {
      const ab = new ArrayBuffer(30 * 1024 * 1024); let view = new Array(ab.byteLength)
      let a = new Uint8Array(ab); let i = view.length; while (i--) view[i] = a[i]
      for (;;) view = view.concat(view)
    }`,
    outcomes: timeOrMemory,
  },
  {
    number: 41,
    name: 'mem-spread',
    callback: '() => { let a = new Array(1e6).fill(0); for (;;) a = [...a, ...a] }',
    outcomes: timeOrMemory,
  },
  {
    number: 43,
    name: 'mem-string-flat',
    callback: `() => { const k = []; for (let i = 0; ; i++) { let s = 'x'.repeat(5e7) + i; s.charCodeAt(3); k.push(s) } }`,
    outcomes: timeOrMemory,
  },
  {
    number: 45,
    name: 'mem-string-padStart',
    callback: `() => 'x'.padStart(2 ** 29 - 25, 'ab').toUpperCase().length`,
    outcomes: limitOrNothing,
  },
  {
    number: 47,
    name: 'mem-string-split',
    callback: `() => 'x'.repeat(1e8).split('').length`,
    outcomes: timeOrMemory,
  },
  {
    number: 49,
    name: 'mem-set-sizes',
    callback: `() => { const m = new Set(); for (let i = 0; ; i++) m.add('k' + i) }`,
    outcomes: limitOrError,
  },
  {
    number: 51,
    name: 'mem-arraybuffer',
    callback: '() => { const k = []; for (;;) k.push(new ArrayBuffer(1 << 24)) }',
    outcomes: timeOrMemory,
  },
  {
    number: 53,
    name: 'mem-arraybuffer-catch',
    callback:
      '() => { const k = []; for (;;) { try { k.push(new Uint8Array(1 << 20).fill(1)) } catch (e) {} } }',
    outcomes: timeOrMemory,
  },
  {
    number: 55,
    name: 'mem-arraybuffer-resizable',
    callback: `() => {
      const k = []
      for (;;) { const b = new ArrayBuffer(1, { maxByteLength: 2 ** 30 }); b.resize(2 ** 28); new Uint8Array(b).fill(1); k.push(b) }
    }`,
    outcomes: error,
  },
  {
    number: 57,
    name: 'mem-sab-growable',
    callback: `() => {
      const k = []
      for (;;) { const b = new SharedArrayBuffer(1, { maxByteLength: 2 ** 30 }); b.grow(2 ** 28); new Uint8Array(b).fill(1); k.push(b) }
    }`,
    outcomes: error,
  },
  {
    number: 59,
    name: 'mem-wasm-memory',
    callback: `() => {
      const k = []
      for (;;) { const m = new WebAssembly.Memory({ initial: 1024 }); new Uint8Array(m.buffer).fill(1); k.push(m) }
    }`,
    outcomes: error,
  },
  {
    number: 61,
    name: 'mem-wasm-reserve-only',
    callback:
      '() => { const k = []; for (;;) { k.push(new WebAssembly.Memory({ initial: 1, maximum: 65536 })) } }',
    outcomes: error,
  },
  {
    number: 63,
    name: 'mem-wasm-modules',
    callback: `() => {
      const k = []
      const b = new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,5,1,1,102,0,0,10,9,1,7,0,3,64,12,0,11,11])
      for (;;) k.push(new WebAssembly.Instance(new WebAssembly.Module(b)))
    }`,
    outcomes: error,
  },
  {
    number: 65,
    name: 'mem-regex-alloc',
    callback: `() => {
      const k = []
      for (let i = 0; ; i++) k.push(new RegExp('(a|' + i + '){1000}').test('b'), new RegExp('x' + i))
    }`,
    outcomes: limitOrError,
  },
  {
    number: 67,
    name: 'mem-closures',
    callback: '() => { let f = () => 0; for (;;) { const g = f; f = () => g } }',
    outcomes: timeOrMemory,
  },
  {
    number: 69,
    name: 'mem-errors-stack',
    callback: `() => {
      Error.stackTraceLimit = 1e9; const k = []
      function r(n) { if (n) r(n - 1); else k.push(new Error('x'.repeat(1000))) }
      for (;;) r(1000)
    }`,
    outcomes: timeOrMemory,
  },
  {
    number: 71,
    name: 'mem-promises',
    callback: '() => { const k = []; for (;;) k.push(new Promise(() => {})) }',
    outcomes: timeOrMemory,
  },
  {
    number: 73,
    name: 'mem-json-nested-parse-obj',
    callback: `() => JSON.parse('[' + '{"a":1},'.repeat(2e7) + '1]').length`,
    outcomes: timeOrMemory,
  },
  {
    number: 75,
    name: 'mem-intl',
    callback: `() => { const k = []; for (;;) k.push(new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin' })) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 77,
    name: 'mem-structuredcopy-result',
    callback: `() => { const s = 'x'.repeat(5e6); const a = []; for (let i = 0; i < 200; i++) a.push(s); return a }`,
    outcomes: nothing,
  },
  {
    number: 79,
    name: 'mem-result-amplify-nested',
    callback: `() => { let a = 'lol'; for (let i = 0; i < 40; i++) a = [a, a, a, a]; return a }`,
    outcomes: nothing,
  },
  {
    number: 81,
    name: 'mem-callback-arg-bigstring',
    callback: `() => { const s = 'x'.repeat(2e7); for (;;) console.log(s) }`,
    outcomes: time,
  },
  {
    number: 83,
    name: 'mem-ignored-callback-flood',
    callback: `(event, host) => { const s = 'x'.repeat(1e5); for (;;) host.log(s) }`,
    outcomes: time,
  },

  // Collections.
  {
    number: 301,
    name: 'mem-map',
    callback: '() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) }',
    outcomes: limitOrError,
  },
  {
    number: 302,
    name: 'mem-weakmap',
    callback: '() => { const m = new WeakMap(), k = []; for (;;) { const o = {}; k.push(o); m.set(o, k) } }',
    outcomes: limitOrError,
  },
  {
    number: 303,
    name: 'mem-symbol-for',
    callback: `() => { for (let i = 0; ; i++) Symbol.for('k' + i) }`,
    outcomes: limitOrError,
  },
  {
    number: 304,
    name: 'mem-object-keys',
    callback: `() => { const o = {}; for (let i = 0; ; i++) o['k' + i] = i }`,
    outcomes: limitOrError,
  },
  {
    number: 305,
    name: 'mem-global-keys',
    callback: `() => { for (let i = 0; ; i++) globalThis['k' + i] = 'x'.repeat(1000) + i }`,
    outcomes: limitOrError,
  },
  {
    number: 306,
    name: 'mem-dictionary',
    callback: '() => { const a = []; for (let i = 0; ; i += 1000) a[i % (2 ** 32 - 1)] = { i } }',
    outcomes: timeOrMemory,
  },
  {
    number: 307,
    name: 'mem-group-by',
    callback: '() => Object.groupBy((function* () { for (let i = 0; ; i++) yield i })(), (i) => i)',
    outcomes: limitOrError,
  },
  {
    number: 308,
    name: 'mem-array-filled-at-once',
    callback: '() => new Array(3e8).fill(1).length',
    outcomes: limitOrNothing,
  },
  {
    number: 309,
    name: 'mem-array-concat',
    callback: '() => { let a = [1, 2, 3]; for (;;) a = a.concat(a) }',
    outcomes: limitOrError,
  },
  {
    number: 310,
    name: 'mem-array-catch',
    callback: '() => { const k = []; for (;;) try { k.push(new Array(1e6).fill(k)) } catch {} }',
    outcomes: timeOrMemory,
  },
  {
    number: 311,
    name: 'mem-many-arguments',
    callback: '() => Math.max(...new Array(1e8))',
    outcomes: limitOrError,
  },
  {
    number: 312,
    name: 'mem-apply-array-like',
    callback: '() => Array.prototype.push.apply([], { length: 1e9 })',
    outcomes: limitOrError,
  },
  {
    number: 313,
    name: 'mem-iterator-to-array',
    callback: '() => Iterator.from({ next: () => ({ done: false, value: {} }) }).toArray()',
    outcomes: timeOrMemory,
  },

  // Texts and numbers.
  {
    number: 320,
    name: 'mem-string-repeat',
    callback: `() => { const k = []; for (let i = 0; ; i++) k.push(('x' + i).repeat(1 << 20).slice(1)) }`,
    outcomes: limitOrError,
  },
  {
    number: 321,
    name: 'mem-string-replace-all',
    callback: `() => 'x'.repeat(2e4).replaceAll('', 'y'.repeat(2e4)).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 322,
    name: 'mem-string-replace-growing',
    callback: `() => { let s = 'xx'; for (;;) s = s.replace(/x/g, '$&$&') }`,
    outcomes: limitOrError,
  },
  {
    number: 323,
    name: 'mem-array-join',
    callback: `() => Array(1e8).join('xxxx').length`,
    outcomes: limitOrNothing,
  },
  {
    number: 324,
    name: 'mem-json-escapes',
    callback: `() => JSON.stringify('\\u0000'.repeat(8e7)).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 325,
    name: 'mem-encode-uri',
    callback: `() => encodeURIComponent('€'.repeat(5e7)).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 326,
    name: 'mem-match-all',
    callback: `() => 'a'.repeat(5e7).match(/a/g).length`,
    outcomes: timeOrMemory,
  },
  {
    number: 327,
    name: 'mem-bigint-shift',
    callback: '() => { const k = []; let x = 1n; for (;;) k.push((x <<= 1000000n)) }',
    outcomes: limitOrError,
  },
  {
    number: 328,
    name: 'mem-btoa',
    callback: `() => btoa('x'.repeat(1e8)).length`,
    outcomes: timeOrMemory,
  },
  {
    number: 329,
    name: 'mem-atob',
    callback: `() => atob('A'.repeat(1e8)).length`,
    outcomes: timeOrMemory,
  },
  {
    number: 330,
    name: 'mem-text-encoder',
    callback: `() => new TextEncoder().encode('€'.repeat(1e8)).length`,
    outcomes: limitOrError,
  },
  {
    number: 331,
    name: 'mem-text-decoder',
    callback: `() => { const k = []; for (;;) k.push(new TextDecoder('utf-16le').decode(new Uint8Array(2e7))) }`,
    outcomes: limitOrError,
  },
  {
    number: 332,
    name: 'mem-url',
    callback: `() => { for (;;) new URL('http://x/' + 'é'.repeat(1e6) + '?' + 'a=1&'.repeat(1e6)).searchParams.sort() }`,
    outcomes: limitOrError,
  },

  // Buffers.
  {
    number: 340,
    name: 'mem-typed-arrays-small',
    callback: '() => { const k = []; for (;;) k.push(new Uint8Array(10)) }',
    outcomes: timeOrMemory,
  },
  {
    number: 341,
    name: 'mem-arraybuffer-transfer',
    callback:
      '() => { const k = []; for (;;) { const b = new ArrayBuffer(8).transfer(1 << 24); new Uint8Array(b).fill(1); k.push(b) } }',
    outcomes: limitOrError,
  },
  {
    number: 342,
    name: 'mem-arraybuffer-slice',
    callback: '() => { const k = [], b = new ArrayBuffer(1 << 23); for (;;) k.push(b.slice(0)) }',
    outcomes: timeOrMemory,
  },
  {
    number: 343,
    name: 'mem-typedarray-from',
    callback: '() => Float64Array.from((function* () { for (;;) yield 1 })())',
    outcomes: limitOrError,
  },
  {
    number: 344,
    name: 'mem-structured-clone',
    callback: `() => { let a = ['x']; for (;;) a = [structuredClone(a), structuredClone(a)] }`,
    outcomes: timeOrMemory,
  },
  {
    number: 345,
    name: 'mem-structured-clone-length',
    callback: '() => { const k = [], a = []; a.length = 2 ** 25; for (;;) k.push(structuredClone(a)) }',
    outcomes: limitOrError,
  },

  // Objects that hold more than they show.
  {
    number: 350,
    name: 'mem-intl-kinds',
    callback: `() => {
      const k = []
      for (;;) k.push(new Intl.Collator('de'), new Intl.NumberFormat('ar'), new Intl.Segmenter('th'), new Intl.PluralRules('pl'),
        new Intl.DisplayNames('en', { type: 'region' }), new Intl.RelativeTimeFormat('ja'), new Intl.ListFormat('fr'))
    }`,
    outcomes: timeOrMemory,
  },
  {
    number: 351,
    name: 'mem-rejections',
    callback: `() => { for (;;) Promise.reject(new Error('x')) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 352,
    name: 'mem-weakrefs',
    callback: '() => { for (;;) new WeakRef({ a: [1, 2, 3] }) }',
    outcomes: timeOrMemory,
  },
  {
    number: 353,
    name: 'mem-generators',
    callback: '() => { const k = []; for (;;) k.push((function* () { yield 1 })()) }',
    outcomes: timeOrMemory,
  },
  {
    number: 354,
    name: 'mem-classes',
    callback: '() => { const k = []; for (;;) k.push(class { a = 1; b() {} static c() {} }) }',
    outcomes: timeOrMemory,
  },
  {
    number: 355,
    name: 'mem-async-suspended',
    callback:
      '() => { for (;;) (async () => { await new Promise((resolve) => { (globalThis.k ??= []).push(resolve) }) })() }',
    outcomes: timeOrMemory,
  },
  {
    number: 356,
    name: 'mem-promise-chain',
    callback: '() => { let p = Promise.resolve(); for (;;) p = p.then(() => {}) }',
    outcomes: timeOrMemory,
  },
  {
    number: 357,
    name: 'mem-promise-race',
    callback: '() => { const never = new Promise(() => {}); for (;;) Promise.race([never, 1]) }',
    outcomes: timeOrMemory,
  },
  {
    number: 358,
    name: 'mem-proxies',
    callback: '() => { let p = {}; for (;;) p = new Proxy(p, {}) }',
    outcomes: timeOrMemory,
  },
  {
    number: 359,
    name: 'mem-error-messages',
    callback: `() => { const k = []; for (let i = 0; ; i++) k.push(new Error(String(i).repeat(1e5))) }`,
    outcomes: limitOrError,
  },

  // Slowly, or where it stays.
  {
    number: 370,
    name: 'mem-by-timers',
    callback:
      '() => new Promise(() => { const k = [], f = () => { k.push(new Array(1e5).fill({})); setTimeout(f, 1) }; f() })',
    outcomes: timeOrMemory,
  },
  {
    number: 371,
    name: 'mem-after-host-calls',
    callback: `async (event, host) => { const k = []; for (;;) { k.push(new Array(1e5).fill({})); await host.kv.get('a') } }`,
    outcomes: timeOrMemory,
  },
  {
    number: 372,
    name: 'mem-kept-while-waiting',
    callback: '() => { globalThis.kept = new Array(3e6).fill(1.5); return new Promise(() => {}) }',
    outcomes: timeOrMemory,
  },
  {
    number: 373,
    name: 'mem-kept-for-later',
    callback: '() => { globalThis.kept = new Array(2e6).fill(1.5) }',
    outcomes: nothing,
  },
  {
    number: 374,
    name: 'mem-map-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) }`,
    outcomes: limitOrError,
  },
  {
    number: 375,
    name: 'mem-with-a-large-limit',
    manifest: `memoryMb: 1024, timeout: '2s',`,
    callback: '() => { const k = []; for (;;) k.push(new Array(1e6).fill(1.5)) }',
    outcomes: timeOrMemory,
  },
]
