/** Attacks on the processor: loops, and what is done while something is waited for. */
import { type Attack, error, limitOrError, limitOrNothing, time, timeOrMemory } from '../attack.ts'

export const processor: readonly Attack[] = [
  { number: 1, name: 'cpu-infinite-loop', callback: '() => { for (;;); }', outcomes: time },
  {
    number: 5,
    name: 'cpu-microtask-flood-detached',
    callback: '() => { (async () => { for (;;) await 0 })(); return 1 }',
    outcomes: time,
  },
  {
    number: 7,
    name: 'cpu-microtask-rearm',
    callback:
      '() => { function bad() { Promise.resolve().then(() => { bad(); for (;;); }) } bad(); for (;;); }',
    outcomes: time,
  },
  {
    number: 9,
    name: 'cpu-async-loop-host',
    callback: `async (event, host) => { for (;;) await host.kv.get('a') }`,
    outcomes: time,
  },
  {
    number: 11,
    name: 'cpu-host-never-resolves',
    callback: `async (event, host) => { await host.kv.get('a'); await new Promise(() => {}) }`,
    outcomes: time,
  },
  {
    number: 13,
    name: 'cpu-sync-host-loop',
    callback: `(event, host) => { for (;;) host.kv.get('a') }`,
    outcomes: timeOrMemory,
  },
  {
    number: 15,
    name: 'cpu-regex-replace-big',
    callback: `() => { let s = 'a'.repeat(1 << 20); return s.replace(/(a*)*b/g, '').length }`,
    outcomes: limitOrError,
  },
  {
    number: 17,
    name: 'cpu-bigint-pow',
    callback: '() => { let x = 3n ** (2n ** 24n); x = x * x; return x.toString().length }',
    outcomes: timeOrMemory,
  },
  {
    number: 19,
    name: 'cpu-string-localeCompare/Intl',
    callback: `() => { const s = 'é'.repeat(1 << 22); for (;;) s.normalize('NFD').localeCompare(s) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 21,
    name: 'cpu-array-join-sparse',
    callback: `() => { const a = []; a.length = 2 ** 32 - 1; return a.join('').length }`,
    outcomes: limitOrNothing,
  },
  {
    number: 23,
    name: 'cpu-typedarray-sort',
    callback:
      '() => { const a = new Float64Array(4e6).map(Math.random); for (;;) a.sort((x, y) => Math.random() - .5) }',
    outcomes: timeOrMemory,
  },
  {
    number: 25,
    name: 'cpu-finally-generator',
    callback: '() => { function* g() { try { yield 1 } finally { for (;;); } } for (const x of g()) break }',
    outcomes: time,
  },
  {
    number: 27,
    name: 'cpu-array-from-iter',
    callback: '() => Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }).length',
    outcomes: timeOrMemory,
  },
  {
    number: 29,
    name: 'cpu-atomics-wait',
    callback: '() => { Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0) }',
    outcomes: error,
  },
  {
    number: 31,
    name: 'cpu-json-stringify-toJSON',
    callback: '() => JSON.stringify({ toJSON() { for (;;); } })',
    outcomes: time,
  },
  {
    number: 33,
    name: 'cpu-eval-compile-bomb',
    callback: `() => { for (let i = 0; ; i++) new Function('a', 'return ' + 'a+'.repeat(1e5) + i)(1) }`,
    outcomes: error,
  },
]
