/** Walks through all that can be reached from what a script is given, in search of what it must not have. */
import { type Attack, limitOrNothing, nothing } from '../attack.ts'

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

export const reaching: readonly Attack[] = [
  {
    number: 161,
    name: 'esc-reference-leak',
    top: walk,
    callback: `(event, host) => {
      const words = /^(derefInto|release|copy|copySync|applySync|applySyncPromise|applyIgnored|getSync|setSync|transferList|compileScript|createContext|cpuTime|wallTime)$/
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
]
