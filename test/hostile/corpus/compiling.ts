/** Texts that harm what reads and compiles them. */
import { type Attack, error, refused } from '../attack.ts'

export const compiling: readonly Attack[] = [
  {
    number: 860,
    name: 'src-code-too-large',
    file: () => `globalThis.x = '${'x'.repeat(5e6)}'\nexport const onNewSeries = () => {}\n`,
    outcomes: refused,
  },
  {
    number: 861,
    name: 'src-large-and-throws',
    callback: `() => { throw new Error('x') }`,
    top: Array.from({ length: 20_000 }, (_, index) => `globalThis.a${index} = [${index}, 'b']`).join('\n'),
    manifest: `memoryMb: 256, timeout: '3s',`,
    outcomes: error,
  },
  {
    number: 863,
    name: 'src-nested-ten-thousand-deep',
    top: `globalThis.nested = ${'['.repeat(1e4)}${']'.repeat(1e4)}`,
    outcomes: ['ok', 'refused'],
  },
  { number: 865, name: 'src-large-comment', top: `/* ${'x'.repeat(5e7)} */`, outcomes: refused },
  { number: 866, name: 'src-control-characters', top: `/* ${'\u0001'.repeat(9.2e7)} */`, outcomes: refused },
  {
    number: 867,
    name: 'src-no-text',
    file: () => `\u0000\ufffd\ud800${'\u0000'.repeat(1000)}`,
    outcomes: refused,
  },
  {
    number: 868,
    name: 'src-source-map-of-the-input-of-the-compiler',
    top: `//# source${'Mapping'}URL=/dev/stdin`,
    outcomes: ['ok', 'refused'],
  },
  {
    number: 862,
    name: 'src-nested-a-million-deep',
    top: `globalThis.nested = ${'['.repeat(1e6)}${']'.repeat(1e6)}`,
    outcomes: refused,
  },
  {
    number: 864,
    name: 'src-enum-that-doubles',
    top: `enum E { A0 = 'aaaaaaaa', ${Array.from({ length: 27 }, (_, index) => `A${index + 1} = A${index} + A${index}`).join()} }`,
    outcomes: ['ok', 'refused'],
  },
]
