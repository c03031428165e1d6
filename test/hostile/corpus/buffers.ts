/** Buffers, and copies of them. */
import { type Attack, limitOrError, timeOrMemory } from '../attack.ts'

export const buffers: readonly Attack[] = [
  {
    number: 340,
    name: 'mem-typed-arrays-small',
    callback: '() => { const k = []; for (;;) k.push(new Uint8Array(10)) }',
    outcomes: timeOrMemory,
  },
  {
    number: 341,
    name: 'mem-arraybuffer-transfer',
    callback:
      '() => { const k = []; for (;;) { const b = new ArrayBuffer(8).transfer(1 << 24); new Uint8Array(b).fill(1); k.push(b) } }',
    outcomes: limitOrError,
  },
  {
    number: 342,
    name: 'mem-arraybuffer-slice',
    callback: '() => { const k = [], b = new ArrayBuffer(1 << 23); for (;;) k.push(b.slice(0)) }',
    outcomes: timeOrMemory,
  },
  {
    number: 343,
    name: 'mem-typedarray-from',
    callback: '() => Float64Array.from((function* () { for (;;) yield 1 })())',
    outcomes: limitOrError,
  },
  {
    number: 344,
    name: 'mem-structured-clone',
    callback: `() => { let a = ['x']; for (;;) a = [structuredClone(a), structuredClone(a)] }`,
    outcomes: timeOrMemory,
  },
  {
    number: 345,
    name: 'mem-structured-clone-length',
    callback: '() => { const k = [], a = []; a.length = 2 ** 25; for (;;) k.push(structuredClone(a)) }',
    outcomes: limitOrError,
  },
]
