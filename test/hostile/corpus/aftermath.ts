/** What is left behind for the runs that come next. */
import { type Attack, error, limitOrError, nothing } from '../attack.ts'

export const aftermath: readonly Attack[] = [
  {
    number: 901,
    name: 'aft-stray-rejection',
    callback: `() => { Promise.reject(new Error('stray')) }`,
    outcomes: error,
  },
  {
    number: 902,
    name: 'aft-stray-rejection-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); Promise.reject(new Error('stray')) }`,
    outcomes: error,
  },
  {
    number: 903,
    name: 'aft-forgotten-await',
    callback: `async (event, host) => { await host.kv.get('a'); host.get('nowhere') }`,
    outcomes: error,
  },
  {
    number: 904,
    name: 'aft-forgotten-await-of-own',
    callback: `async (event, host) => { (async () => { await host.kv.get('a'); await host.kv.get('b'); throw new Error('late') })() }`,
    outcomes: error,
  },
  {
    number: 905,
    name: 'aft-throw-in-microtask',
    callback: `() => { queueMicrotask(() => { throw new Error('late') }) }`,
    outcomes: error,
  },
  {
    number: 906,
    name: 'aft-throw-in-timer-while-waiting',
    callback: `() => new Promise((resolve) => { setTimeout(() => { throw new Error('in timer') }, 1); setTimeout(resolve, 20) })`,
    outcomes: error,
  },
  {
    number: 907,
    name: 'aft-throw-in-timer-left-behind',
    callback: `() => { setTimeout(() => { throw new Error('late') }, 0) }`,
    outcomes: nothing,
  },
  {
    number: 908,
    name: 'aft-spin-in-timer-left-behind',
    callback: '() => { for (let i = 0; i < 200; i++) setTimeout(() => { for (;;); }, i) }',
    outcomes: nothing,
  },
  {
    number: 909,
    name: 'aft-many-rejections-after-host',
    callback: `async (event, host) => { await host.kv.get('a'); for (let i = 0; i < 1000; i++) Promise.reject(new Error('stray ' + i)) }`,
    outcomes: error,
  },
  {
    number: 910,
    name: 'aft-rejection-of-nothing',
    callback: `async (event, host) => { await host.kv.get('a'); Promise.reject(); Promise.reject(null); Promise.reject(Symbol('x')) }`,
    outcomes: error,
  },
  {
    number: 911,
    name: 'aft-rejection-of-a-function',
    callback: `async (event, host) => { await host.kv.get('a'); Promise.reject(() => {}); Promise.reject(globalThis) }`,
    outcomes: limitOrError,
  },
  {
    number: 912,
    name: 'aft-rejection-of-something-huge',
    callback: `() => { Promise.reject(new Error('x'.repeat(1e7))) }`,
    outcomes: limitOrError,
  },
  {
    number: 913,
    name: 'aft-rejection-of-an-amplified-object',
    callback: `() => { let a = 'lol'; for (let i = 0; i < 40; i++) a = [a, a, a, a]; Promise.reject(a) }`,
    outcomes: limitOrError,
  },
  {
    number: 914,
    name: 'aft-rejection-of-many-large-texts',
    callback: `async (event, host) => { await host.kv.get('a'); const s = 'x'.repeat(1e7); Promise.reject(Array.from({ length: 2000 }, () => s)) }`,
    outcomes: limitOrError,
  },
  {
    number: 915,
    name: 'aft-resolved-by-the-next-run',
    top: `globalThis.waiting = []`,
    callback: `() => { new Promise((resolve) => waiting.push(resolve)).then(() => { throw new Error('late') }); setTimeout(() => waiting.pop()(), 1) }`,
    outcomes: nothing,
  },
  {
    number: 916,
    name: 'aft-host-call-answered-late',
    callback: `(event, host) => { host.kv.get('a').then(() => host.kv.get('b')).then(() => { throw new Error('late') }) }`,
    outcomes: error,
  },
  {
    number: 917,
    name: 'aft-ended-twice',
    callback: `async (event, host) => { host.kv.get('a').then(() => { for (;;); }); throw new Error('first') }`,
    outcomes: limitOrError,
  },
  {
    number: 918,
    name: 'aft-handled-too-late',
    callback: `async () => { const p = Promise.reject(new Error('x')); await new Promise((resolve) => setTimeout(resolve, 5)); p.catch(() => {}) }`,
    outcomes: ['ok', 'threw'],
  },
]
