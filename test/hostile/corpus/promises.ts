/** Promises and timers that never end, and loops in what they call. */
import { type Attack, nothing, time, timeOrMemory } from '../attack.ts'

export const promises: readonly Attack[] = [
  {
    number: 260,
    name: 'cpu-async-generator',
    callback: 'async () => { async function* g() { for (;;) yield 1 } for await (const x of g()); }',
    outcomes: time,
  },
  {
    number: 261,
    name: 'cpu-array-from-async',
    callback: 'async () => Array.fromAsync((async function* () { for (;;) yield 1 })())',
    outcomes: timeOrMemory,
  },
  {
    number: 262,
    name: 'cpu-promise-all',
    callback: '() => Promise.all({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) })',
    outcomes: timeOrMemory,
  },
  {
    number: 263,
    name: 'cpu-thenable-of-itself',
    callback: 'async () => { const it = { then(resolve) { resolve(it) } }; await it }',
    outcomes: time,
  },
  {
    number: 264,
    name: 'cpu-queue-microtask',
    callback: '() => { const f = () => queueMicrotask(f); f() }',
    outcomes: time,
  },
  { number: 265, name: 'cpu-never-settles', callback: '() => new Promise(() => {})', outcomes: time },
  {
    number: 266,
    name: 'cpu-spin-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); for (;;); }`,
    outcomes: time,
  },
  {
    number: 267,
    name: 'cpu-microtasks-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); for (;;) await 0 }`,
    outcomes: time,
  },
  {
    number: 268,
    name: 'cpu-spin-detached-after-host',
    callback: `(event, host) => { host.kv.get('a').then(() => { for (;;); }) }`,
    outcomes: time,
  },
  {
    number: 269,
    name: 'cpu-wedge-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }`,
    outcomes: time,
  },
  {
    number: 270,
    name: 'cpu-host-chain-detached',
    callback: `(event, host) => { const f = () => host.kv.get('a').then(f); f() }`,
    outcomes: time,
  },
  {
    number: 271,
    name: 'cpu-timers-awaited',
    callback: '() => new Promise(() => { const f = () => setTimeout(f, 0); f() })',
    outcomes: time,
  },
  {
    number: 272,
    name: 'cpu-timers-detached',
    callback: '() => { const f = () => setTimeout(f, 0); f() }',
    outcomes: nothing,
  },
  {
    number: 273,
    name: 'cpu-spin-in-timer',
    callback: '() => new Promise(() => setTimeout(() => { for (;;); }, 1))',
    outcomes: time,
  },
  {
    number: 274,
    name: 'cpu-wedge-in-timer',
    callback:
      '() => new Promise(() => setTimeout(() => Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1), 1))',
    outcomes: time,
  },
  {
    number: 275,
    name: 'cpu-waits-longer-than-it-may',
    callback: '() => new Promise((resolve) => setTimeout(resolve, 3_600_000))',
    outcomes: time,
  },
  {
    number: 276,
    name: 'cpu-dates',
    callback: `() => { for (let i = 0; ; i++) Date.parse('2026-01-01T00:00:00.' + i) + Date.parse('1 Jan 2026 ' + i + ' '.repeat(1e4)) }`,
    outcomes: time,
  },
  {
    number: 277,
    name: 'cpu-dates-written',
    callback: `() => { for (;;) new Date().toLocaleString('ar-EG', { timeZone: 'Asia/Kolkata', calendar: 'islamic' }) }`,
    outcomes: timeOrMemory,
  },
]
