/**
 * Attempts to get out: to the process, to other realms, to files, to the environment, to other scripts. A script
 * that finds a way logs the word that nobody else says.
 */
import { type Attack, nothing } from '../attack.ts'

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
      const nowhere = './' + event.id; await import(nowhere).catch(show)
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
