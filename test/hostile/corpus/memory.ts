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
]
