/** What a script asks of the host and of timers, made so that looking at it does harm. */
import { type Attack, error, limitOrError, nothing, time } from '../attack.ts'

export const asked: readonly Attack[] = [
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
      for (const key of ['%', '_', "'; drop table run; --", '\\n', ' ', 'x'.repeat(512)]) {
        await host.kv.set(key, key); await host.kv.get(key); await host.kv.list(key)
      }
      for (const key of ['\\u0000', '\\ud800']) for (const call of [host.kv.set, host.kv.get, host.kv.list])
        try { await call(key, 1); console.log('ESCAPED') } catch (error) { if (error.code !== 'bad-host-call') throw error }
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
]
