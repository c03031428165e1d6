/** Regular expressions that go back and forth, or take long to be made. */
import { type Attack, limitOrError, time } from '../attack.ts'

export const patterns: readonly Attack[] = [
  { number: 230, name: 'cpu-regex', callback: `() => /(a*)*b/.test('a'.repeat(40))`, outcomes: time },
  {
    number: 231,
    name: 'cpu-regex-lookbehind',
    callback: `() => /(?<=b(?:a|a)*)c/.test('a'.repeat(40) + 'c')`,
    outcomes: time,
  },
  {
    number: 232,
    name: 'cpu-regex-backreference',
    callback: `() => /^(?:(a+)\\1*)+$/.test('a'.repeat(40) + 'b')`,
    outcomes: time,
  },
  {
    number: 233,
    name: 'cpu-regex-split',
    callback: `() => 'a'.repeat(1e5).split(/(?:a?){30}a{30}b/).length`,
    outcomes: limitOrError,
  },
  {
    number: 234,
    name: 'cpu-regex-compile',
    callback: `() => { for (let i = 0; ; i++) new RegExp('[^\\\\p{L}' + i + ']' + '[\\\\p{Lu}\\\\P{N}]{50}'.repeat(20), 'iu').test('aB3') }`,
    outcomes: limitOrError,
  },
  {
    number: 235,
    name: 'cpu-regex-last-index',
    callback: `() => { const r = /x/g; r.exec = () => ({ index: 0, 0: '', length: 1 }); 'abc'.replace(r, 'y') }`,
    outcomes: limitOrError,
  },
]
