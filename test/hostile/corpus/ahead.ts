/** Runs that are given to the isolate ahead of their turn, and what they do to those around them. */
import { type Attack, error, limitOrError, nothing, time, timeOrMemory } from '../attack.ts'

export const ahead: readonly Attack[] = [
  { number: 951, name: 'ahd-loop', callback: '() => { for (;;); }', isAhead: true, outcomes: time },
  {
    number: 952,
    name: 'ahd-memory',
    callback: '() => { const k = []; for (;;) k.push(new Array(1e5).fill({})) }',
    isAhead: true,
    outcomes: timeOrMemory,
  },
  {
    number: 953,
    name: 'ahd-wedge',
    callback: '() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
    isAhead: true,
    outcomes: time,
  },
  {
    number: 954,
    name: 'ahd-throws-proxy',
    callback: '() => { throw new Proxy(new Error(), { get() { for (;;); } }) }',
    isAhead: true,
    outcomes: time,
  },
  {
    number: 955,
    name: 'ahd-stray-rejection',
    callback: `() => { Promise.reject(new Error('stray')) }`,
    isAhead: true,
    outcomes: error,
  },
  {
    number: 956,
    name: 'ahd-stray-proxy',
    callback: `() => { Promise.reject(new Proxy(new Error('z'), { get() { for (;;); } })) }`,
    isAhead: true,
    outcomes: time,
  },
  {
    number: 957,
    name: 'ahd-never-settles',
    callback: '() => new Promise(() => {})',
    isAhead: true,
    outcomes: time,
  },
  {
    number: 958,
    name: 'ahd-map',
    callback: '() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) }',
    isAhead: true,
    outcomes: limitOrError,
  },
  {
    number: 959,
    name: 'ahd-log-flood',
    callback: `() => { for (;;) console.log('x'.repeat(1e4)) }`,
    isAhead: true,
    outcomes: time,
  },
  {
    number: 960,
    name: 'ahd-asks-and-spins',
    callback: `(event, host) => { for (let i = 0; i < 1000; i++) host.kv.get('k' + i); for (;;); }`,
    isAhead: true,
    outcomes: time,
  },
  {
    number: 961,
    name: 'ahd-microtasks-detached',
    callback: `() => { (async () => { for (;;) await 0 })() }`,
    isAhead: true,
    outcomes: time,
  },
  {
    number: 962,
    name: 'ahd-timers-left-behind',
    callback: `() => { for (let i = 0; i < 200; i++) setTimeout(() => { for (;;); }, i) }`,
    isAhead: true,
    outcomes: nothing,
  },
]
