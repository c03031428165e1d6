/** Attacks on the wall: what a script throws, returns, logs and asks, made so that looking at it does harm. */
import { type Attack, error, limitOrError, limitOrNothing, nothing, time, timeOrMemory } from '../attack.ts'

export const boundary: readonly Attack[] = [
  // What is thrown.
  {
    number: 107,
    name: 'bnd-huge-error-10MB',
    callback: `() => { throw new Error('x'.repeat(1e7)) }`,
    outcomes: error,
  },
  {
    number: 109,
    name: 'bnd-prepareStackTrace-loop',
    top: 'Error.prepareStackTrace = () => { for (;;); }',
    callback: `() => { throw new Error('x') }`,
    outcomes: error,
  },
  {
    number: 111,
    name: 'bnd-error-getter-loop',
    callback: `() => {
      const e = new Error('x')
      Object.defineProperty(e, 'message', { get() { for (;;); } })
      Object.defineProperty(e, 'stack', { get() { for (;;); } })
      throw e
    }`,
    outcomes: time,
  },
  {
    number: 113,
    name: 'bnd-error-proto-proxy',
    callback: `() => {
      const e = new Error('x')
      Object.setPrototypeOf(e, new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); } }))
      throw e
    }`,
    outcomes: time,
  },
  { number: 115, name: 'bnd-throw-null', callback: '() => { throw null }', outcomes: error },
  { number: 117, name: 'bnd-throw-symbol', callback: `() => { throw Symbol('x') }`, outcomes: error },
  {
    number: 119,
    name: 'bnd-reject-proxy',
    callback: `() => Promise.reject(new Proxy(new Error('z'), { get() { for (;;); } }))`,
    outcomes: time,
  },
  {
    number: 501,
    name: 'bnd-throw-name-loop',
    callback: `() => { throw Object.defineProperty(new Error('x'), 'name', { get() { for (;;); } }) }`,
    outcomes: time,
  },
  {
    number: 502,
    name: 'bnd-throw-cause-loop',
    callback: `() => { throw Object.defineProperty(new Error('x'), 'cause', { get() { for (;;); } }) }`,
    outcomes: time,
  },
  {
    number: 503,
    name: 'bnd-throw-proxy-late',
    callback: 'async () => { await 0; throw new Proxy(new Error(), { get() { for (;;); } }) }',
    outcomes: time,
  },
  {
    number: 504,
    name: 'bnd-throw-proxy-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); throw new Proxy(new Error(), { get() { for (;;); } }) }`,
    outcomes: time,
  },
  {
    number: 505,
    name: 'bnd-reject-proxy-detached',
    callback: `() => { Promise.reject(new Proxy(new Error('z'), { get() { for (;;); } })) }`,
    outcomes: time,
  },
  {
    number: 506,
    name: 'bnd-reject-proxy-detached-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); Promise.reject(new Proxy(new Error('z'), { get() { for (;;); } })) }`,
    outcomes: time,
  },
  {
    number: 507,
    name: 'bnd-throw-revoked-proxy',
    callback: `() => { const { proxy, revoke } = Proxy.revocable(new Error('x'), {}); revoke(); throw proxy }`,
    outcomes: error,
  },
  {
    number: 508,
    name: 'bnd-reject-revoked-proxy-detached',
    callback: `() => { const { proxy, revoke } = Proxy.revocable(new Error('x'), {}); revoke(); Promise.reject(proxy) }`,
    outcomes: error,
  },
  {
    number: 509,
    name: 'bnd-throw-object-toJSON-loop',
    callback: '() => { throw { toJSON() { for (;;); } } }',
    outcomes: time,
  },
  {
    number: 510,
    name: 'bnd-throw-function',
    callback: `() => { throw Object.assign(() => {}, { message: {}, stack: 'x'.repeat(1e7) }) }`,
    outcomes: error,
  },
  {
    number: 511,
    name: 'bnd-throw-huge-name',
    callback: `() => { throw Object.assign(new Error('x'), { name: 'n'.repeat(1e7), cause: { stack: 'c'.repeat(1e7) } }) }`,
    outcomes: error,
  },
  {
    number: 512,
    name: 'bnd-throw-odd-text',
    callback: `() => { throw new Error('\\ud800 \\u0000 \\u2028 \\x1b[2J \\n{"level":50,"msg":"uncaught"}\\n') }`,
    outcomes: error,
  },
  {
    number: 513,
    name: 'bnd-throw-words-of-the-engine',
    callback: `() => { throw new Error('Script execution timed out.') }`,
    outcomes: error,
  },
  {
    number: 514,
    name: 'bnd-reject-words-of-the-engine',
    callback: `() => { Promise.reject(new Error('Isolate was disposed during execution due to memory limit')) }`,
    outcomes: error,
  },
  {
    number: 515,
    name: 'bnd-throw-stack-of-lines',
    callback: `() => { throw Object.assign(new Error('\\n'.repeat(8000) + 'onstable:x'), { stack: '\\n'.repeat(8000) + ' at onstable:script:1:1' }) }`,
    outcomes: error,
  },
  {
    number: 516,
    name: 'bnd-throw-places-that-are-none',
    callback: `() => { throw Object.assign(new Error('x'), { stack: ' at f (onstable:script:999999999:999999999)\\n'.repeat(180) }) }`,
    outcomes: error,
  },
  {
    number: 517,
    name: 'bnd-throw-aggregate',
    callback: `() => { throw new AggregateError(Array.from({ length: 1e5 }, () => new Error('x')), 'many') }`,
    outcomes: limitOrError,
  },

  // What is returned.
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

  // What is logged.
  {
    number: 530,
    name: 'bnd-log-toJSON-loop',
    callback: '() => { console.log({ toJSON() { for (;;); } }) }',
    outcomes: time,
  },
  {
    number: 531,
    name: 'bnd-log-stack-getter-loop',
    callback: `() => { console.log(Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } })) }`,
    outcomes: time,
  },
  {
    number: 532,
    name: 'bnd-log-has-instance-loop',
    callback:
      '() => { Object.defineProperty(Error, Symbol.hasInstance, { value() { for (;;); } }); console.log({}) }',
    outcomes: time,
  },
  {
    number: 533,
    name: 'bnd-log-revoked-proxy',
    callback:
      '() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); console.log(proxy, [proxy]) }',
    outcomes: nothing,
  },
  {
    number: 534,
    name: 'bnd-log-amplified',
    callback: `() => { let a = 'lol'; for (let i = 0; i < 40; i++) a = [a, a, a, a]; console.log(a) }`,
    outcomes: limitOrNothing,
  },
  {
    number: 535,
    name: 'bnd-log-many-values',
    callback: `() => { console.log(...new Array(1e5).fill('x')); console.log(...new Array(1e5).fill('')) }`,
    outcomes: limitOrNothing,
  },
  {
    number: 536,
    name: 'bnd-log-odd-text',
    callback: `() => {
      console.log('\\ud800'.repeat(4000), '\\u0000'.repeat(4000))
      console.error('\\n{"level":50,"msg":"uncaught exception"}\\n\\x1b[2J')
    }`,
    outcomes: nothing,
  },
  {
    number: 537,
    name: 'bnd-log-blank-lines',
    callback: `() => { for (let i = 0; i < 10; i++) console.log('\\n'.repeat(8000) + 'onstable:x') }`,
    outcomes: nothing,
  },
  {
    number: 538,
    name: 'bnd-log-places-that-are-none',
    callback: `() => { for (let i = 0; i < 10; i++) console.log('onstable:script:999999999:1 '.repeat(250)) }`,
    outcomes: nothing,
  },

  // What is asked.
  {
    number: 540,
    name: 'bnd-ask-cyclic',
    callback: `async (event, host) => { const a = {}; a.a = a; await host.kv.set('a', a) }`,
    outcomes: error,
  },
  {
    number: 541,
    name: 'bnd-ask-bigint',
    callback: `async (event, host) => { await host.kv.set('a', { b: 1n }) }`,
    outcomes: error,
  },
  {
    number: 542,
    name: 'bnd-ask-getter-loop',
    callback: `async (event, host) => { await host.kv.set('a', { get b() { for (;;); } }) }`,
    outcomes: time,
  },
  {
    number: 543,
    name: 'bnd-ask-proxy-loop',
    callback: `async (event, host) => { await host.send(new Proxy({}, { get() { for (;;); } }), 'X') }`,
    outcomes: time,
  },
  {
    number: 544,
    name: 'bnd-ask-url-loop',
    callback: `async (event, host) => { await host.http({ toString() { for (;;); } }) }`,
    outcomes: time,
  },
  {
    number: 545,
    name: 'bnd-ask-huge',
    callback: `async (event, host) => { await host.kv.set('a', 'x'.repeat(1e7)) }`,
    outcomes: limitOrError,
  },
  {
    number: 546,
    name: 'bnd-ask-escapes',
    callback: `async (event, host) => { await host.kv.set('a', '\\u0000'.repeat(3e5)) }`,
    outcomes: error,
  },
  {
    number: 547,
    name: 'bnd-ask-deep',
    callback: `async (event, host) => {
      let a = 1; for (let i = 0; i < 3000; i++) a = [a]
      await host.kv.set('a', a); await host.kv.get('a')
    }`,
    outcomes: ['ok', 'threw'],
  },
  {
    number: 548,
    name: 'bnd-ask-deep-text',
    callback: `async (event, host) => {
      await host.kv.set('a', { toJSON: () => JSON.rawJSON('1') }); await host.kv.set('b', '['.repeat(5e5))
    }`,
    outcomes: ['ok', 'threw'],
  },
  {
    number: 549,
    name: 'bnd-ask-proto-keys',
    callback: `async (event, host) => {
      await host.kv.set('__proto__', JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'))
      await host.kv.set('constructor', 1)
      await host.kv.get('__proto__')
      await host.kv.list()
    }`,
    outcomes: nothing,
  },
  {
    number: 550,
    name: 'bnd-ask-proto-headers',
    callback: `async (event, host) => { await host.http('http://127.0.0.1:9/', { headers: JSON.parse('{"__proto__":"x"}'), __proto__: { method: 'GET' } }) }`,
    outcomes: error,
  },
  {
    number: 551,
    name: 'bnd-ask-odd-keys',
    callback: `async (event, host) => {
      for (const key of ['\\u0000', '\\ud800', '%', '_', "'; drop table run; --", '\\n', ' ', 'x'.repeat(512)]) {
        await host.kv.set(key, key); await host.kv.get(key); await host.kv.list(key)
      }
    }`,
    outcomes: nothing,
  },
  {
    number: 552,
    name: 'bnd-ask-wrong-kinds',
    callback: `async (event, host) => {
      for (const odd of [undefined, null, 1, NaN, {}, [], Symbol('x'), () => {}, -0, '']) {
        for (const call of [host.get, host.hash, host.http, host.send, host.kv.get, host.kv.set, host.kv.delete, host.kv.list]) {
          try { await call(odd, odd, odd) } catch {}
        }
      }
    }`,
    outcomes: nothing,
  },
  {
    number: 553,
    name: 'bnd-ask-toJSON-of-nothing',
    callback: `async (event, host) => { await host.kv.set('a', { toJSON() {} }) }`,
    outcomes: error,
  },

  // Timers.
  {
    number: 560,
    name: 'bnd-timer-delay-loop',
    callback: '() => { setTimeout(() => {}, { valueOf() { for (;;); } }) }',
    outcomes: time,
  },
  {
    number: 561,
    name: 'bnd-timer-delays',
    callback: `() => { for (const delay of [NaN, -1, Infinity, -Infinity, 2 ** 31, 2 ** 53, '1e400', null, [], 0.1]) clearTimeout(setTimeout(() => {}, delay)) }`,
    outcomes: nothing,
  },
  {
    number: 562,
    name: 'bnd-timer-ids',
    callback: `() => { for (const id of [NaN, -1, 1e9, '__proto__', 'constructor', {}, null, undefined, Symbol('x')]) clearTimeout(id) }`,
    outcomes: nothing,
  },
  {
    number: 563,
    name: 'bnd-timer-callback-throws-proxy',
    callback:
      '() => new Promise(() => setTimeout(() => { throw new Proxy(new Error(), { get() { for (;;); } }) }, 1))',
    outcomes: time,
  },
  {
    number: 564,
    name: 'bnd-timers-too-many',
    callback: '() => { for (;;) setTimeout(() => {}, 1000) }',
    outcomes: error,
  },
  {
    number: 565,
    name: 'bnd-own-errors-of-buffers',
    callback: `() => { throw new RangeError('Array buffer allocation failed') }`,
    outcomes: ['threw', 'out-of-memory'],
  },
  {
    number: 566,
    name: 'bnd-memory-in-a-getter',
    callback: `() => { throw Object.defineProperty(new Error('x'), 'message', { get() { const k = []; for (;;) k.push(new Array(1e5)) } }) }`,
    outcomes: timeOrMemory,
  },
]
