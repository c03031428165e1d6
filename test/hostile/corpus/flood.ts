/** Floods: host calls, logs, timers and writes, more than anybody can serve. */
import { type Attack, limitOrError, limitOrNothing, time, timeOrMemory } from '../attack.ts'

export const floods: readonly Attack[] = [
  {
    number: 169,
    name: 'fld-100k-pending',
    callback: `async (event, host) => {
      const p = []; for (let i = 0; i < 100000; i++) p.push(host.kv.get('k' + i))
      return (await Promise.all(p)).length
    }`,
    outcomes: limitOrNothing,
  },
  { number: 171, name: 'fld-log-sync-loop', callback: `() => { for (;;) console.log('x') }`, outcomes: time },
  {
    number: 173,
    name: 'fld-never-dispose',
    callback: '() => { for (let i = 0; i < 1000; i++) new Promise(() => {}); return new Promise(() => {}) }',
    outcomes: time,
  },
  {
    number: 701,
    name: 'fld-large-arguments',
    callback: `(event, host) => { const s = 'x'.repeat(1e6); for (;;) host.kv.set('a', s) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 702,
    name: 'fld-arguments-queued',
    callback: `(event, host) => { for (let i = 0; i < 1e5; i++) host.get('/' + 'x'.repeat(1e3)) }`,
    outcomes: limitOrNothing,
  },
  {
    number: 703,
    name: 'fld-many-keys',
    callback: `async (event, host) => { for (let i = 0; ; i++) await host.kv.set('k' + i, 'x'.repeat(100)) }`,
    outcomes: limitOrError,
  },
  {
    number: 704,
    name: 'fld-large-values',
    callback: `async (event, host) => { for (let i = 0; ; i++) await host.kv.set('k' + i, 'x'.repeat(1e6)) }`,
    outcomes: limitOrError,
  },
  {
    number: 705,
    name: 'fld-list-of-large-values',
    callback: `async (event, host) => {
      for (let i = 0; i < 4; i++) await host.kv.set('k' + i, 'x'.repeat(9e5))
      for (;;) { const p = []; for (let i = 0; i < 64; i++) p.push(host.kv.list()); await Promise.allSettled(p) }
    }`,
    outcomes: limitOrError,
  },
  {
    number: 706,
    name: 'fld-digests',
    callback: `async (event, host) => { const s = 'x'.repeat(2e6); for (;;) await Promise.all([host.hash('sha512', s), host.hash('md5', s)]) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 707,
    name: 'fld-listings',
    callback: `async (event, host) => {
      for (;;) { const p = []; for (let i = 0; i < 64; i++) p.push(host.get('/changes?limit=1000')); await Promise.allSettled(p) }
    }`,
    outcomes: timeOrMemory,
  },
  {
    number: 708,
    name: 'fld-refused-calls',
    callback: `async (event, host) => { for (;;) { const p = []; for (let i = 0; i < 1000; i++) p.push(host.http('http://127.0.0.1:9/')); await Promise.allSettled(p) } }`,
    outcomes: timeOrMemory,
  },
  {
    number: 709,
    name: 'fld-calls-left-behind',
    callback: `(event, host) => { for (let i = 0; i < 2000; i++) host.kv.get('k' + i) }`,
    outcomes: limitOrNothing,
  },
  {
    number: 710,
    name: 'fld-failures-left-behind',
    callback: `(event, host) => { for (let i = 0; i < 2000; i++) host.get('nowhere') }`,
    outcomes: limitOrError,
  },
  {
    number: 711,
    name: 'fld-timers-set-and-cleared',
    callback: '() => { for (;;) clearTimeout(setTimeout(() => {}, 1e6)) }',
    outcomes: limitOrError,
  },
  {
    number: 712,
    name: 'fld-timers-set-and-cleared-for-long',
    manifest: `timeout: '3s',`,
    callback: '() => { for (;;) clearTimeout(setTimeout(() => {}, 1e6)) }',
    outcomes: limitOrError,
  },
  {
    number: 713,
    name: 'fld-timers-at-once',
    callback:
      '() => new Promise((resolve) => { let n = 0; const f = () => { if (++n > 1e6) resolve(); setTimeout(f, 0) }; for (let i = 0; i < 250; i++) f() })',
    outcomes: limitOrError,
  },
  { number: 714, name: 'fld-empty-lines', callback: `() => { for (;;) console.log('') }`, outcomes: time },
  {
    number: 715,
    name: 'fld-log-all-levels',
    callback: `(event, host) => { for (let i = 0; ; i++) { console.debug(i); console.warn(i); console.error(i); host.log(i) } }`,
    outcomes: time,
  },
  {
    number: 716,
    name: 'fld-microtasks',
    callback: '() => { for (;;) queueMicrotask(() => {}) }',
    outcomes: timeOrMemory,
  },
  {
    number: 717,
    name: 'fld-of-the-server-itself',
    callback: `async (event, host) => { for (;;) await Promise.allSettled(Array.from({ length: 64 }, () => host.get('/instances?expand&limit=1000'))) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 718,
    name: 'fld-statistics',
    callback: `async (event, host) => { for (;;) await Promise.allSettled(Array.from({ length: 64 }, () => host.get('/statistics'))) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 719,
    name: 'fld-writes-then-fails',
    callback: `async (event, host) => { for (let i = 0; i < 900; i++) await host.kv.set('lost' + i, i); throw new Error('x') }`,
    outcomes: limitOrError,
  },
  {
    number: 720,
    name: 'fld-memory-of-many-runs',
    file: () => `
      export const script = { retry: { attempts: 1 }, timeout: '2s', memoryMb: 32 }
      let runs = 0
      export async function onStoredInstance(instance, host) {
        if (++runs <= 30) for (let i = 0; i < 4; i++) await host.kv.set(instance.id + i, 'x'.repeat(9e5))
        console.log('harmless 720')
      }
      export const onNewSeries = (series, host) => Promise.allSettled([1, 2, 3, 4].map(() => host.kv.list()))
    `,
    instancesBefore: 30,
    outcomes: limitOrNothing,
  },
]
