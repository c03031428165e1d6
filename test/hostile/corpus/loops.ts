/** Loops in places where an end would have to come out. */
import { type Attack, time } from '../attack.ts'

export const loops: readonly Attack[] = [
  {
    number: 240,
    name: 'cpu-labels',
    callback: '() => { outer: for (;;) { for (;;) continue outer } }',
    outcomes: time,
  },
  {
    number: 241,
    name: 'cpu-finally-overrides',
    callback: '() => { for (;;) { try { return } finally { continue } } }',
    outcomes: time,
  },
  {
    number: 242,
    name: 'cpu-catch-and-go-on',
    callback: '() => { for (;;) try { for (;;); } catch {} finally { for (;;); } }',
    outcomes: time,
  },
  {
    number: 243,
    name: 'cpu-recursion-in-finally',
    callback: '() => { function f() { try { f() } finally { f() } } f() }',
    outcomes: time,
  },
  {
    number: 244,
    name: 'cpu-sort-comparator',
    callback: '() => [3, 2, 1].sort(() => { for (;;); })',
    outcomes: time,
  },
  {
    number: 245,
    name: 'cpu-proxy-own-keys',
    callback: '() => Object.keys(new Proxy({}, { ownKeys() { for (;;); } }))',
    outcomes: time,
  },
  {
    number: 246,
    name: 'cpu-to-primitive',
    callback: '() => +{ [Symbol.toPrimitive]() { for (;;); } }',
    outcomes: time,
  },
  {
    number: 247,
    name: 'cpu-set-union',
    callback:
      '() => new Set([1]).union({ size: 1, has() {}, keys: () => ({ next: () => ({ done: false, value: 1 }) }) })',
    outcomes: time,
  },
  {
    number: 248,
    name: 'cpu-iterator-return',
    callback:
      '() => { const [a] = { [Symbol.iterator]: () => ({ next: () => ({ done: false }), return() { for (;;); } }) } }',
    outcomes: time,
  },
  {
    number: 249,
    name: 'cpu-generator-finally-async',
    callback:
      'async () => { async function* g() { try { yield 1 } finally { for (;;) await 0 } } for await (const x of g()) break }',
    outcomes: time,
  },
]
