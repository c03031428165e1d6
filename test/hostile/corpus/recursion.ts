/** Attacks on the stack: of JavaScript, of the engine's own code in C++, of parsers and writers. */
import { type Attack, error, limitOrError, limitOrNothing, nothing, timeOrMemory } from '../attack.ts'

export const recursion: readonly Attack[] = [
  { number: 85, name: 'rec-js', callback: '() => { const f = () => f(); f() }', outcomes: error },
  {
    number: 87,
    name: 'rec-getter',
    callback: '() => { const o = { get a() { return o.a } }; return o.a }',
    outcomes: error,
  },
  {
    number: 89,
    name: 'rec-json-stringify',
    callback: '() => { let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return JSON.stringify(a).length }',
    outcomes: limitOrError,
  },
  {
    number: 91,
    name: 'rec-structured-clone-result-1e6',
    callback: '() => { let a = {}; for (let i = 0; i < 1e6; i++) a = { a }; return a }',
    outcomes: limitOrNothing,
  },
  {
    number: 93,
    name: 'rec-regex-nested',
    callback: `() => new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('a')`,
    outcomes: error,
  },
  {
    number: 95,
    name: 'rec-parser-arrow',
    callback: `() => { (0, eval)('a=>'.repeat(1e5) + '1'); return 1 }`,
    outcomes: error,
  },
  {
    number: 97,
    name: 'rec-flat',
    callback: '() => { let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return a.flat(Infinity).length }',
    outcomes: limitOrError,
  },
  {
    number: 99,
    name: 'rec-cons-string-flatten',
    callback: `() => {
      let s = 'x'
      for (let i = 0; i < 3e6; i++) s = (i & 1) ? s + 'yyyyyyyyyyyyyyyyyyyy' : 'zzzzzzzzzzzzzzzzzzzzz' + s
      return s.charCodeAt(3)
    }`,
    outcomes: limitOrNothing,
  },
  {
    number: 101,
    name: 'rec-bind-chain',
    callback: '() => { let f = () => 1; for (let i = 0; i < 1e6; i++) f = f.bind(null); return f() }',
    outcomes: limitOrNothing,
  },
  {
    number: 103,
    name: 'rec-host-callback',
    callback: `(event, host) => { const reenter = { toJSON() { return host.kv.set('a', reenter) } }; return host.kv.set('a', reenter) }`,
    outcomes: limitOrNothing,
  },
  {
    number: 105,
    name: 'rec-error-cause',
    callback: `() => {
      let e = new Error('x')
      for (let i = 0; i < 1e6; i++) { const n = new Error('x'); n.cause = e; e = n; if (i % 100 == 0) e.stack }
      throw e
    }`,
    outcomes: limitOrError,
  },
  {
    number: 401,
    name: 'rec-array-to-string',
    callback: '() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return String(a) }',
    outcomes: limitOrError,
  },
  {
    number: 402,
    name: 'rec-proxy-chain',
    callback:
      '() => { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return [p.x, Object.keys(p), p instanceof Object] }',
    outcomes: limitOrError,
  },
  {
    number: 403,
    name: 'rec-instanceof-bound',
    callback:
      '() => { let f = class {}; for (let i = 0; i < 1e5; i++) f = f.bind(); return ({}) instanceof f }',
    outcomes: limitOrNothing,
  },
  {
    number: 404,
    name: 'rec-proto-chain',
    callback: `() => { let o = {}; for (let i = 0; i < 2e5; i++) o = Object.create(o); for (;;) 'missing' in o }`,
    outcomes: timeOrMemory,
  },
  {
    number: 405,
    name: 'rec-json-reviver',
    callback: `() => JSON.parse('['.repeat(1e5) + ']'.repeat(1e5), (key, value) => value)`,
    outcomes: limitOrNothing,
  },
  {
    number: 406,
    name: 'rec-json-depth',
    callback: `() => JSON.parse('{"a":'.repeat(1e6) + '1' + '}'.repeat(1e6))`,
    outcomes: limitOrNothing,
  },
  {
    number: 407,
    name: 'rec-structured-clone',
    callback: '() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return structuredClone(a) }',
    outcomes: limitOrError,
  },
  {
    number: 408,
    name: 'rec-regex-backtrack',
    callback: `() => /^(?:.|x)*y$/s.test('ab'.repeat(4e6))`,
    outcomes: limitOrNothing,
  },
  {
    number: 409,
    name: 'rec-cause-cycle',
    callback: `() => { const e = new Error('x'); e.cause = e; console.log(e); throw e }`,
    outcomes: error,
  },
  {
    number: 410,
    name: 'rec-value-of',
    callback: '() => { const o = { valueOf() { return +o } }; return +o }',
    outcomes: error,
  },
  {
    number: 411,
    name: 'rec-yield-star',
    callback: '() => { function* g() { yield* g() } return [...g()] }',
    outcomes: error,
  },
  {
    number: 412,
    name: 'rec-async',
    callback: 'async () => { const f = async () => { await f() }; await f() }',
    outcomes: limitOrError,
  },
  {
    number: 413,
    name: 'rec-to-json',
    callback: '() => JSON.stringify({ toJSON() { return [this] } })',
    outcomes: limitOrError,
  },
  {
    number: 414,
    name: 'rec-flat-itself',
    callback: '() => { const a = []; a.push(a); return a.flat(Infinity) }',
    outcomes: limitOrError,
  },
  {
    number: 415,
    name: 'rec-classes',
    callback:
      '() => { let C = class {}; for (let i = 0; i < 2e4; i++) C = class extends C {}; return new C() }',
    outcomes: limitOrNothing,
  },
  {
    number: 416,
    name: 'rec-defaults',
    callback: '() => { const f = (a = f()) => a; return f() }',
    outcomes: error,
  },
  {
    number: 417,
    name: 'rec-promise-adoption',
    callback:
      'async () => { let p = new Promise(() => {}); for (let i = 0; i < 1e5; i++) { const q = p; p = (async () => q)() } await p }',
    outcomes: timeOrMemory,
  },
  {
    number: 418,
    name: 'rec-log-in-log',
    callback: '() => { const f = () => { console.log({ toJSON() { f() } }) }; f() }',
    outcomes: limitOrNothing,
  },
  {
    number: 419,
    name: 'rec-edge-of-stack-host',
    callback: `async (event, host) => {
      const calls = []
      const deep = () => { try { deep() } catch { calls.push(host.kv.get('edge')); console.log('edge') } }
      try { deep() } catch {}
      await Promise.allSettled(calls)
    }`,
    outcomes: limitOrNothing,
  },
  {
    number: 420,
    name: 'rec-edge-of-stack-timers',
    callback: `() => {
      const deep = () => { try { deep() } catch { clearTimeout(setTimeout(() => {}, 0)); queueMicrotask(() => {}) } }
      try { deep() } catch {}
    }`,
    outcomes: nothing,
  },
  {
    number: 421,
    name: 'rec-edge-of-stack-platform',
    callback: `() => {
      const deep = () => { try { deep() } catch { structuredClone([new Error('x')]); btoa('x'); new URL('http://x/') } }
      try { deep() } catch {}
    }`,
    outcomes: nothing,
  },
]
