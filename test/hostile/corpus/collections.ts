/** Collections that grow for ever, or are made huge at once. */
import { type Attack, limitOrError, limitOrNothing, timeOrMemory } from '../attack.ts'

export const collections: readonly Attack[] = [
  {
    number: 301,
    name: 'mem-map',
    callback: '() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) }',
    outcomes: limitOrError,
  },
  {
    number: 302,
    name: 'mem-weakmap',
    callback: '() => { const m = new WeakMap(), k = []; for (;;) { const o = {}; k.push(o); m.set(o, k) } }',
    outcomes: limitOrError,
  },
  {
    number: 303,
    name: 'mem-symbol-for',
    callback: `() => { for (let i = 0; ; i++) Symbol.for('k' + i) }`,
    outcomes: limitOrError,
  },
  {
    number: 304,
    name: 'mem-object-keys',
    callback: `() => { const o = {}; for (let i = 0; ; i++) o['k' + i] = i }`,
    outcomes: limitOrError,
  },
  {
    number: 305,
    name: 'mem-global-keys',
    callback: `() => { for (let i = 0; ; i++) globalThis['k' + i] = 'x'.repeat(1000) + i }`,
    outcomes: limitOrError,
  },
  {
    number: 306,
    name: 'mem-dictionary',
    callback: '() => { const a = []; for (let i = 0; ; i += 1000) a[i % (2 ** 32 - 1)] = { i } }',
    outcomes: timeOrMemory,
  },
  {
    number: 307,
    name: 'mem-group-by',
    callback: '() => Object.groupBy((function* () { for (let i = 0; ; i++) yield i })(), (i) => i)',
    outcomes: limitOrError,
  },
  {
    number: 308,
    name: 'mem-array-filled-at-once',
    callback: '() => new Array(3e8).fill(1).length',
    outcomes: limitOrNothing,
  },
  {
    number: 309,
    name: 'mem-array-concat',
    callback: '() => { let a = [1, 2, 3]; for (;;) a = a.concat(a) }',
    outcomes: limitOrError,
  },
  {
    number: 310,
    name: 'mem-array-catch',
    callback: '() => { const k = []; for (;;) try { k.push(new Array(1e6).fill(k)) } catch {} }',
    outcomes: timeOrMemory,
  },
  {
    number: 311,
    name: 'mem-many-arguments',
    callback: '() => Math.max(...new Array(1e8))',
    outcomes: limitOrError,
  },
  {
    number: 312,
    name: 'mem-apply-array-like',
    callback: '() => Array.prototype.push.apply([], { length: 1e9 })',
    outcomes: limitOrError,
  },
  {
    number: 313,
    name: 'mem-iterator-to-array',
    callback: '() => Iterator.from({ next: () => ({ done: false, value: {} }) }).toArray()',
    outcomes: timeOrMemory,
  },
]
