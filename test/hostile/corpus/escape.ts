/**
 * Attempts to get out: to the process, to other realms, to files, to the environment, to other scripts. A script
 * that finds a way logs the word that nobody else says.
 */
import { type Attack, error, limitOrNothing, nothing, refused } from '../attack.ts'

/** All that can be reached from the roots by own properties, accessors and prototypes. */
const walk = `
function reach(...roots) {
  const seen = new Set(), queue = roots
  while (queue.length > 0) {
    const it = queue.pop()
    if ((typeof it !== 'object' && typeof it !== 'function') || it === null || seen.has(it)) continue
    seen.add(it)
    try { queue.push(Object.getPrototypeOf(it)) } catch {}
    for (const key of Reflect.ownKeys(it)) {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(it, key) ?? {}
      queue.push(value, get, set)
    }
  }
  return [...seen]
}
function namesOf(it) { return Reflect.ownKeys(it).map(String) }
`

export const escapes: readonly Attack[] = [
  {
    number: 149,
    name: 'esc-callback-constructor',
    callback: `(event, host) => {
      const out = [typeof process, typeof require]
      for (const f of [console.log, host.get, host.log, host.kv.set, setTimeout, queueMicrotask, structuredClone, btoa])
        for (const code of ['return typeof process', 'return typeof require', 'return this'])
          for (const make of [f.constructor, f.constructor.constructor, Object.getPrototypeOf(f).constructor])
            try { out.push(make(code)()) } catch (e) { if (e.constructor !== EvalError) out.push(e) }
      if (out.some((it) => it !== 'undefined')) console.log('ESCAPED', out)
    }`,
    outcomes: nothing,
  },
  {
    number: 151,
    name: 'esc-callback-caller',
    callback: `(event, host) => {
      for (const f of [console.log, host.kv.get, setTimeout])
        for (const k of ['caller', 'callee', 'arguments', 'prototype'])
          try { if (f[k] !== undefined) console.log(k in Function.prototype ? 'ESCAPED' : 'own', k) } catch {}
    }`,
    outcomes: nothing,
  },
  {
    number: 153,
    name: 'esc-host-error-async-leak',
    callback: `async (event, host) => {
      try { await host.get('/nowhere/at/all') } catch (e) {
        console.log(e.message, e.stack, Object.getOwnPropertyNames(e).join())
        if (e.constructor !== Error) console.log('ESCAPED')
        try { console.log('ESCAPED', e.constructor.constructor('return process')()) } catch {}
      }
    }`,
    outcomes: nothing,
  },
  {
    number: 155,
    name: 'esc-promise-from-host',
    callback: `async (event, host) => {
      const p = host.kv.get('a')
      if (!(p instanceof Promise) || p.constructor !== Promise || Object.getPrototypeOf(p) !== Promise.prototype) console.log('ESCAPED')
      try { console.log('ESCAPED', p.constructor.constructor('return typeof process')()) } catch {}
      await p
    }`,
    outcomes: nothing,
  },
  {
    number: 157,
    name: 'esc-import-meta-eval',
    callback: `() => {
      try { console.log('ESCAPED', (0, globalThis['ev' + 'al'])('import.meta')) } catch (e) { console.log(e.message) }
      if (Object.keys(import.meta).length > 0) console.log('ESCAPED', import.meta)
    }`,
    outcomes: nothing,
  },
  {
    number: 159,
    name: 'esc-eval-function',
    callback: `() => {
      const ways = [
        () => eval('1+1'), () => new Function('return typeof process')(), () => Function('return 1')(),
        () => (async () => {}).constructor('return 1')(), () => (function* () {}).constructor('yield 1')(),
        () => (async function* () {}).constructor('yield 1')(), () => (() => {}).constructor.apply(null, ['return 1'])(),
        () => Reflect.construct(Function, ['return 1'])(), () => new (class extends Function {})('return 1')(),
        () => Reflect.construct(Object.getPrototypeOf(class {}).constructor, ['return 1'], Array)(),
        () => setTimeout('1', 1), () => new Function.prototype.constructor('return 1')(),
        () => Object.getPrototypeOf((async () => {}).constructor)('return 1')(),
      ]
      for (const way of ways) try { console.log('ESCAPED', String(way), way()) } catch {}
    }`,
    outcomes: nothing,
  },
  {
    number: 161,
    name: 'esc-reference-leak',
    top: walk,
    callback: `(event, host) => {
      const words = /^(deref|derefInto|release|copy|copySync|applySync|applySyncPromise|applyIgnored|getSync|setSync|transferList|compileScript|createContext|cpuTime|wallTime)$/
      for (const it of reach(globalThis, event, host, console)) for (const name of namesOf(it)) if (words.test(name)) console.log('ESCAPED', name)
    }`,
    outcomes: nothing,
  },
  {
    number: 163,
    name: 'esc-reference-leak-exploit2',
    top: walk,
    callback: `(event, host) => {
      for (const it of reach(globalThis, event, host)) {
        if (typeof it !== 'function') continue
        for (const args of [['constructor', { inherit: true, reference: true, accessors: true }], []])
          try { const c = it.getSync?.(...args) ?? it.apply?.(undefined, args)?.getSync?.(...args); if (c !== undefined) console.log('ESCAPED', c) } catch {}
      }
    }`,
    outcomes: limitOrNothing,
  },
  {
    number: 165,
    name: 'esc-ivm-leak-native',
    top: walk,
    callback: `(event, host) => {
      for (const it of reach(globalThis, event, host)) for (const name of namesOf(it))
        if (/^(ivm|lib|testOOM|testHang|Isolate|Reference|ExternalCopy|NativeModule|nativeModule|Inspector)$/.test(name)) console.log('ESCAPED', name)
    }`,
    outcomes: nothing,
  },
  {
    number: 167,
    name: 'esc-proto-pollution-arg',
    top: `Object.defineProperty(Object.prototype, 'PatientName', { set(v) { globalThis.stolen = v }, get() { return 'x' } })`,
    callback: `(event) => { if (globalThis.stolen !== undefined) console.log('ESCAPED', globalThis.stolen); console.log(Object.keys(event.patientTags).join()) }`,
    outcomes: nothing,
  },

  {
    number: 601,
    name: 'esc-names-that-are-gone',
    callback: `() => {
      const gone = ['process', 'require', 'module', 'exports', 'global', 'Buffer', 'fetch', 'WebAssembly', 'SharedArrayBuffer', 'Atomics',
        'FinalizationRegistry', 'eval', 'setInterval', 'setImmediate', 'performance', 'crypto', 'Worker', 'Deno', 'Bun', 'self', 'window',
        'navigator', 'ShadowRealm', '__dirname', '__filename', 'XMLHttpRequest', 'importScripts', 'postMessage', 'MessageChannel', 'gc', 'd8', 'print']
      for (const name of gone) if (name in globalThis) console.log('ESCAPED', name)
      if (typeof process + typeof require + typeof WebAssembly + typeof SharedArrayBuffer + typeof Atomics !== 'undefined'.repeat(5)) console.log('ESCAPED')
    }`,
    outcomes: nothing,
  },
  {
    number: 602,
    name: 'esc-native-things-anywhere',
    top: walk,
    callback: `async (event, host) => {
      const error = await host.get('/nowhere').catch((e) => e)
      const things = reach(globalThis, event, host, error, host.kv.get('a').catch(() => {}), (function () { return arguments })(), new Error('x'), async function* () {}, new Proxy({}, {}))
      for (const it of things) {
        const name = typeof it === 'function' ? String(it.name) : ''
        if (/^(SharedArrayBuffer|Memory|Atomics|FinalizationRegistry|WebAssembly|eval|wait|waitAsync|grow)$/.test(name)) console.log('ESCAPED', name)
        if (typeof it === 'function') for (const code of ['return process', 'return globalThis'])
          try { const made = it.constructor(code); if (typeof made === 'function' && made() !== undefined) console.log('ESCAPED', name) } catch {}
      }
    }`,
    outcomes: nothing,
  },
  {
    number: 603,
    name: 'esc-other-realms',
    top: walk,
    callback: `async (event, host) => {
      const error = await host.get('/nowhere').catch((e) => e)
      const roots = new Set([Object.prototype, null])
      for (const it of reach(globalThis, event, host, error, host.kv.get('a'), setTimeout)) {
        let root = it
        while (root !== Object.prototype && Object.getPrototypeOf(root) !== null) root = Object.getPrototypeOf(root)
        if (Object.prototype.hasOwnProperty.call(root, 'hasOwnProperty') && !roots.has(root)) console.log('ESCAPED')
      }
    }`,
    outcomes: nothing,
  },
  {
    number: 604,
    name: 'esc-stacks-everywhere',
    callback: `async (event, host) => {
      Error.stackTraceLimit = 100
      const show = (e) => console.log(String(e.stack ?? e))
      show(new Error('here'))
      await new Promise((resolve) => setTimeout(() => { show(new Error('timer')); resolve() }, 1))
      await host.get('/nowhere').catch(show)
      await host.http('http://127.0.0.1:9/').catch(show)
      await host.send({}, 'X').catch(show)
      await host.kv.set('a', () => {}).catch(show)
      for (const f of [() => atob('!'), () => structuredClone(() => {}), () => setTimeout(1), () => new ArrayBuffer(1, { maxByteLength: 2 }), () => Function('x'), () => new URL('x'), () => new TextDecoder('x'), () => null.x, () => JSON.parse('{')])
        try { f() } catch (e) { show(e) }
      const site = {}; Error.captureStackTrace(site); show(site)
      await import('no' + 'where').catch(show)
      const deep = () => { try { deep() } catch (e) { host.kv.get('a').catch(show) } }
      deep()
    }`,
    outcomes: ['ok', 'threw'],
  },
  {
    number: 605,
    name: 'esc-callers-in-sloppy-code',
    file: () => `
      const say = console.log
      exports.script = { retry: { attempts: 1 }, timeout: '500ms', memoryMb: 32 }
      exports.onNewPatient = exports.onNewStudy = exports.onStoredInstance = function () { say('harmless 605') }
      exports.onNewSeries = function attack(event, host) {
        const callers = [attack.caller, arguments.callee.caller, attack.arguments && attack.arguments.callee.caller]
        const evil = { toJSON: function hook() { callers.push(hook.caller, arguments.callee.caller); return 1 } }
        console.log(evil); host.kv.set('a', evil)
        setTimeout(function timed() { callers.push(timed.caller) }, 0)
        if (callers.some((it) => it !== null && it !== undefined)) say('ESCAPED', callers.map(String).join())
        if (this !== undefined && this !== globalThis && Object.keys(this).join() !== Object.keys(exports).join()) say('ESCAPED')
        return new Promise((resolve) => setTimeout(resolve, 5))
      }`,
    outcomes: nothing,
  },
  {
    number: 606,
    name: 'esc-import-computed',
    callback: `async () => {
      for (const name of ['node:fs', 'fs', 'isolated-vm', './bystander.ts', 'file:///etc/passwd', 'data:text/javascript,export default process'])
        try { const it = await import(name + ''); console.log('ESCAPED', it) } catch (e) { console.log(e.message) }
    }`,
    outcomes: nothing,
  },
  {
    number: 607,
    name: 'esc-require-computed',
    callback: `() => {
      const name = ['f', 's'].join('')
      try { console.log('ESCAPED', require(name)) } catch (e) { console.log(e.message) }
      try { console.log('ESCAPED', module.constructor._load(name)) } catch {}
      try { console.log('ESCAPED', process.binding(name)) } catch {}
    }`,
    outcomes: ['ok', 'refused'],
  },
  {
    number: 608,
    name: 'esc-import-node',
    top: `import { readFileSync } from 'node:fs'`,
    callback: '() => { readFileSync }',
    outcomes: refused,
  },
  { number: 609, name: 'esc-require-node', callback: `() => require('child_process')`, outcomes: refused },
  {
    number: 610,
    name: 'esc-import-dynamic-node',
    callback: `() => import('worker_threads')`,
    outcomes: refused,
  },
  {
    number: 611,
    name: 'esc-import-canary',
    top: `import text from '../data/canary.txt'`,
    callback: '() => console.log(text)',
    outcomes: refused,
  },
  {
    number: 612,
    name: 'esc-import-canary-asset',
    top: `import text from '../data/canary.txt?raw'; import other from '../data/canary.txt#x'`,
    callback: '() => console.log(text, other)',
    outcomes: refused,
  },
  {
    number: 613,
    name: 'esc-import-machine',
    top: `import text from '/etc/hostname.txt'; import other from '/proc/self/environ'`,
    callback: '() => console.log(text, other)',
    outcomes: refused,
  },
  { number: 614, name: 'esc-import-url', top: `import 'http://127.0.0.1:9/x.js'`, outcomes: refused },
  {
    number: 615,
    name: 'esc-import-glob',
    callback: "(event) => import('../data/' + event.id + '.txt')",
    outcomes: ['refused', 'threw'],
  },
  {
    number: 616,
    name: 'esc-import-data-url',
    top: `import own from 'data:text/javascript,export default typeof process'`,
    callback: `() => { if (own !== 'undefined') console.log('ESCAPED', own) }`,
    outcomes: ['ok', 'refused'],
  },
  {
    number: 617,
    name: 'esc-import-package-up',
    top: `import '../node_modules/better-sqlite3/package.json'`,
    outcomes: refused,
  },
  {
    number: 618,
    name: 'esc-source-map-of-a-file',
    top: `//# source${'Mapping'}URL=../data/canary.txt`,
    callback: `() => { throw new Error('x') }`,
    outcomes: error,
  },
  {
    number: 619,
    name: 'esc-source-map-of-its-own',
    callback: `() => { throw new Error('x') }
//# source${'Mapping'}URL=data:application/json,{"version":3,"sources":["../data/canary.txt","file:///etc/passwd"],"names":[],"mappings":"AAAA;ACAA;AAAA;AAAA;AAAA;AAAA;AAAA;AAAA;AAAA;AAAA"}
`,
    outcomes: error,
  },
  {
    number: 620,
    name: 'esc-paths-of-the-server',
    callback: `async (event, host) => {
      const paths = ['/scripts', '/runs', '/backlog', '/windows', '/', '/metrics', '/tools/shutdown', '/../../etc/passwd', '//etc/passwd', '/system/../scripts', '/studies/../runs',
        '/system%2f..%2fscripts', '/studies/..%2f..%2fruns', '/system?x=/../runs', '/instances/x/../../runs', '/system#/runs', 'http://127.0.0.1/runs', '/system\\r\\nGET /runs', '/\\\\runs', '/system/%2e%2e/runs']
      for (const path of paths) {
        const answer = await host.get(path).catch((e) => e)
        if (Array.isArray(answer) || (answer && !(answer instanceof Error) && answer.ApiVersion === undefined)) console.log('ESCAPED', path, answer)
      }
    }`,
    outcomes: nothing,
  },
  {
    number: 621,
    name: 'esc-memory-of-others',
    callback: `async (event, host) => {
      for (const key of ['secret', 'bystander.ts/secret', '../bystander.ts/secret', 'bystander.ts\\u0000secret', "secret' or '1'='1"]) {
        const value = await host.kv.get(key); if (value !== null) console.log('ESCAPED', value)
      }
      const all = JSON.stringify([await host.kv.list(), await host.kv.list('secret'), await host.kv.list('%')])
      if (all.includes('secret')) console.log('ESCAPED', all)
    }`,
    outcomes: nothing,
  },
  {
    number: 622,
    name: 'esc-what-is-not-granted',
    callback: `async (event, host) => {
      for (const ask of [() => host.http('http://127.0.0.1:9/'), () => host.http('http://localhost/'), () => host.http('https://example.org/'), () => host.send(event, 'ANY'), () => host.send({ level: 'Study', id: 'x' }, '__proto__')])
        try { console.log('ESCAPED', await ask()) } catch (e) { console.log(e.code) }
    }`,
    outcomes: nothing,
  },
  {
    number: 623,
    name: 'esc-globals-of-others',
    top: walk,
    callback: `(event, host) => {
      for (const it of reach(globalThis, host)) for (const name of namesOf(it)) if (/secret|stolen|polluted|canary/i.test(name)) console.log('ESCAPED', name, it[name])
    }`,
    outcomes: nothing,
  },
  {
    number: 624,
    name: 'esc-pollution-for-others',
    callback: `async (event, host) => {
      Object.prototype.polluted = Array.prototype.polluted = Function.prototype.polluted = globalThis.polluted = Promise.prototype.polluted = 'yes'
      event.__proto__ && (event.__proto__.polluted = 'yes')
      for (const it of [host, host.kv, host.get, host.kv.get, console.log]) try { it.polluted = 'yes' } catch {}
      await host.kv.set('polluted', JSON.parse('{"__proto__":{"polluted":"yes"}}'))
      await host.kv.get('polluted')
    }`,
    outcomes: nothing,
  },
  {
    number: 625,
    name: 'esc-resizable-buffers',
    top: walk,
    callback: `(event, host) => {
      const options = { maxByteLength: 1 << 30 }
      let asked = 0
      const shy = { get maxByteLength() { return asked++ ? 1 << 30 : undefined } }
      const makers = reach(globalThis).filter((it) => typeof it === 'function' && it !== Function)
      const buffer = new Uint8Array(8).buffer
      const own = class extends ArrayBuffer {}
      makers.push(buffer.constructor, own, ArrayBuffer[Symbol.species], Object.getPrototypeOf(Uint8Array), function () {})
      for (const maker of makers) for (const given of [options, shy]) for (const target of [maker, own, Object])
        try { const made = Reflect.construct(maker, [8, given], target); if (made.resizable || made.growable) console.log('ESCAPED', maker.name) } catch {}
      Object.defineProperty(buffer, 'constructor', { value: { [Symbol.species]: function (n) { return new own(n, options) } } })
      try { if (buffer.slice(0).resizable) console.log('ESCAPED') } catch {}
      try { buffer.resize(16); console.log('ESCAPED') } catch {}
    }`,
    outcomes: limitOrNothing,
  },
  {
    number: 626,
    name: 'esc-subclassed-promise',
    callback: `async (event, host) => {
      class Spy extends Promise { constructor(executor) { super((resolve, reject) => { Spy.ends = [resolve, reject]; executor(resolve, reject) }) } }
      globalThis.Promise = Spy
      const p = host.kv.get('a')
      if (p instanceof Spy || Spy.ends !== undefined) console.log('ESCAPED')
      await p
    }`,
    outcomes: nothing,
  },
]
