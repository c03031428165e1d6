/** Objects that hold more than they show, memory that is taken slowly, and memory that is kept. */
import { type Attack, limitOrError, nothing, timeOrMemory } from '../attack.ts'

export const objects: readonly Attack[] = [
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
  {
    number: 376,
    name: 'mem-with-the-least-limit',
    manifest: 'memoryMb: 8,',
    callback: '() => { const k = []; for (;;) k.push({}) }',
    outcomes: timeOrMemory,
  },
]
