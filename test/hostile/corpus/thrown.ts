/** What a script throws, made so that looking at it does harm. */
import { type Attack, error, limitOrError, time, timeOrMemory } from '../attack.ts'

export const thrown: readonly Attack[] = [
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
    number: 500,
    name: 'bnd-throw-proxy',
    callback: '() => { throw new Proxy(new Error(), { get() { for (;;); } }) }',
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
    outcomes: limitOrError,
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
  { number: 518, name: 'bnd-throw-undefined', callback: '() => { throw undefined }', outcomes: error },
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
