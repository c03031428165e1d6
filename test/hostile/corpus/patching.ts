/** Attacks on what the isolate's own code stands on: intrinsics replaced, prototypes with traps, globals gone. */
import { type Attack, nothing, time } from '../attack.ts'

/** Uses all that a script is given. */
const useEverything = `async (event, host) => {
  console.log('a', 1, null, { b: [1] }, new Error('x'))
  try { await host.kv.get('a'); await host.kv.set('a', { b: 1 }); await host.kv.list('a'); await host.get('/system') } catch (e) { console.log(e.message) }
  try { await host.get('/nowhere') } catch (e) { console.log(e.message, e.stack) }
  try { await host.http('http://127.0.0.1:9/', { headers: { A: 'b' }, body: {} }) } catch (e) { console.log(e.message) }
  await new Promise((resolve) => setTimeout(resolve, 1))
}`

/** The script may harm itself as much as it likes. */
const anything: Attack['outcomes'] = ['ok', 'threw', 'timed-out', 'out-of-memory']

/** Patched after the script's own code has been read, so that nothing but the isolate's stumbles. */
const patching = (number: number, name: string, patch: string): Attack => ({
  number,
  name: `pat-${name}`,
  top: `export const initialize = () => { ${patch} }`,
  callback: useEverything,
  outcomes: anything,
})

export const patches: readonly Attack[] = [
  {
    number: 131,
    name: 'bnd-promise-then-patched',
    top: 'Promise.prototype.then = function () { for (;;); }',
    callback: '() => Promise.resolve(1)',
    outcomes: nothing,
  },
  patching(
    570,
    'promise',
    `
    for (const name of ['resolve', 'reject', 'all']) Promise[name] = () => { throw 1 }
    Promise.prototype.then = Promise.prototype.catch = Promise.prototype.finally = () => { throw 2 }
    Object.defineProperty(Promise, Symbol.species, { get() { throw 3 } })
    globalThis.Promise = null`,
  ),
  {
    number: 571,
    name: 'pat-promise-constructor',
    top: `Object.defineProperty(Promise.prototype, 'constructor', { get() { for (;;); } })`,
    callback: 'async () => {}',
    outcomes: time,
  },
  {
    number: 572,
    name: 'pat-then-of-all-objects',
    top: 'Object.prototype.then = function () { for (;;); }',
    callback: `async (event, host) => { await host.get('/system') }`,
    outcomes: time,
  },
  patching(
    573,
    'toJSON-of-all-objects',
    `
    Object.prototype.toJSON = Array.prototype.toJSON = String.prototype.toJSON = () => ({ polluted: 1 })`,
  ),
  patching(
    574,
    'descriptors',
    `
    for (const name of ['get', 'set', 'value', 'writable', 'configurable', 'enumerable'])
      Object.prototype[name] = function () { for (;;); }`,
  ),
  patching(
    575,
    'names-of-the-prelude',
    `
    for (const name of ['id', 'mayAsk', 'logBytes', 'logCut', 'isWell', 'next', 'site', 'code', 'message', 'resolve', 'reject', 'read', 'headers', 'body', 'method', 'stack', 'cause', 'level', 'maxByteLength'])
      Object.defineProperty(Object.prototype, name, { get() { return 'x' }, set() { throw 1 }, configurable: true })`,
  ),
  patching(
    576,
    'array',
    `
    for (const name of Object.getOwnPropertyNames(Array.prototype))
      if (typeof Array.prototype[name] === 'function' && name !== 'constructor') Array.prototype[name] = () => { throw 1 }
    Array.prototype[Symbol.iterator] = function () { for (;;); }
    Object.defineProperty(Array.prototype, '0', { set() { for (;;); }, get() { for (;;); } })
    Object.defineProperty(Object.prototype, '1', { set() { for (;;); }, get() { for (;;); } })`,
  ),
  patching(
    577,
    'string',
    `
    for (const name of Object.getOwnPropertyNames(String.prototype))
      if (typeof String.prototype[name] === 'function' && name !== 'constructor') String.prototype[name] = () => { throw 1 }
    String.fromCharCode = String.raw = () => { throw 2 }
    globalThis.String = globalThis.Number = null`,
  ),
  patching(
    578,
    'function',
    `
    Function.prototype.call = Function.prototype.apply = Function.prototype.bind = Function.prototype.toString = function () { for (;;); }
    Object.defineProperty(Function.prototype, 'name', { get() { for (;;); } })`,
  ),
  patching(
    579,
    'json',
    `
    JSON.parse = JSON.stringify = () => { for (;;); }
    globalThis.JSON = null`,
  ),
  patching(
    580,
    'object',
    `
    for (const name of Object.getOwnPropertyNames(Object)) if (typeof Object[name] === 'function' && name !== 'defineProperty') try { Object[name] = () => { throw 1 } } catch {}
    Reflect.apply = Reflect.get = Reflect.ownKeys = () => { throw 2 }
    globalThis.Object = globalThis.Reflect = null`,
  ),
  patching(
    581,
    'error',
    `
    Error.stackTraceLimit = { valueOf() { for (;;); } }
    Error.captureStackTrace = () => { for (;;); }
    Error.prototype.toString = () => { for (;;); }
    Object.defineProperty(Error.prototype, 'name', { get() { return 'x'.repeat(1e6) } })
    globalThis.Error = globalThis.TypeError = globalThis.RangeError = null`,
  ),
  patching(582, 'stack-trace-limit', 'Error.stackTraceLimit = Infinity'),
  patching(
    583,
    'symbols',
    `
    Object.prototype[Symbol.toPrimitive] = function () { for (;;); }
    Object.prototype[Symbol.iterator] = function () { for (;;); }
    Object.defineProperty(Object.prototype, Symbol.toStringTag, { get() { for (;;); } })`,
  ),
  patching(
    584,
    'global-getters',
    `
    const { defineProperty } = Object
    for (const name of ['Promise', 'Error', 'JSON', 'String', 'Object', 'console', 'setTimeout'])
      defineProperty(globalThis, name, { get() { for (;;); }, configurable: true })`,
  ),
  patching(
    585,
    'globals-gone',
    `
    for (const name of Object.getOwnPropertyNames(globalThis)) if (name !== 'console' && name !== 'Promise' && name !== 'setTimeout') try { delete globalThis[name] } catch {}`,
  ),
  patching(
    586,
    'everything-frozen',
    `
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const it = globalThis[name]
      if (it !== globalThis && (typeof it === 'object' || typeof it === 'function') && it !== null && name !== '__exports') { Object.freeze(it); if (it.prototype) Object.freeze(it.prototype) }
    }`,
  ),
  patching(
    587,
    'prototypes-are-proxies',
    `
    Object.setPrototypeOf(Array.prototype, new Proxy({}, { get() { for (;;); }, has() { for (;;); }, set() { for (;;); } }))
    Object.setPrototypeOf(Error.prototype, new Proxy({}, { get() { for (;;); } }))`,
  ),
  patching(
    588,
    'prepare-stack-trace',
    `
    const hook = (error, sites) => { console.log('ESCAPED', sites.length); return 'x' }
    try { Error.prepareStackTrace = hook } catch {}
    try { Object.defineProperty(Error, 'prepareStackTrace', { value: hook }) } catch {}
    try { delete Error.prepareStackTrace; Error.prepareStackTrace = hook } catch {}
    Function.prototype.prepareStackTrace = hook
    Object.prototype.prepareStackTrace = hook`,
  ),
  {
    number: 589,
    name: 'pat-regexp',
    top: `RegExp.prototype.exec = RegExp.prototype[Symbol.replace] = () => { for (;;); }`,
    callback: `() => { atob('YQ=='); }`,
    outcomes: time,
  },
  {
    number: 590,
    name: 'pat-map-of-structured-clone',
    top: `Map.prototype.get = Map.prototype.set = Map.prototype.has = () => { for (;;); }`,
    callback: `() => structuredClone({ a: 1 })`,
    outcomes: ['ok'],
  },
  {
    number: 591,
    name: 'pat-exports-replaced',
    callback: `() => { __exports = { onNewStudy() { for (;;); }, onStoredInstance() { for (;;); } } }`,
    outcomes: ['ok', 'threw'],
  },
  {
    number: 592,
    name: 'pat-host-replaced',
    callback: `(event, host) => { host.get = host.kv.get = () => { for (;;); }; host.log.call = 1; host.kv = null }`,
    outcomes: ['ok', 'threw'],
  },
  {
    number: 593,
    name: 'pat-console-replaced',
    callback: `() => { globalThis.console = { log() { for (;;); } }; globalThis.setTimeout = globalThis.host = null }`,
    outcomes: nothing,
  },
]
