/** Texts and numbers that grow for ever, or are made huge at once. */
import { type Attack, limitOrError, limitOrNothing, timeOrMemory } from '../attack.ts'

export const texts: readonly Attack[] = [
  {
    number: 320,
    name: 'mem-string-repeat',
    callback: `() => { const k = []; for (let i = 0; ; i++) k.push(('x' + i).repeat(1 << 20).slice(1)) }`,
    outcomes: limitOrError,
  },
  {
    number: 321,
    name: 'mem-string-replace-all',
    callback: `() => 'x'.repeat(2e4).replaceAll('', 'y'.repeat(2e4)).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 322,
    name: 'mem-string-replace-growing',
    callback: `() => { let s = 'xx'; for (;;) s = s.replace(/x/g, '$&$&') }`,
    outcomes: limitOrError,
  },
  {
    number: 323,
    name: 'mem-array-join',
    callback: `() => Array(1e8).join('xxxx').length`,
    outcomes: limitOrNothing,
  },
  {
    number: 324,
    name: 'mem-json-escapes',
    callback: `() => JSON.stringify('\\u0000'.repeat(8e7)).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 325,
    name: 'mem-encode-uri',
    callback: `() => encodeURIComponent('€'.repeat(5e7)).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 326,
    name: 'mem-match-all',
    callback: `() => 'a'.repeat(5e7).match(/a/g).length`,
    outcomes: timeOrMemory,
  },
  {
    number: 327,
    name: 'mem-bigint-shift',
    callback: '() => { const k = []; let x = 1n; for (;;) k.push((x <<= 1000000n)) }',
    outcomes: limitOrError,
  },
  {
    number: 328,
    name: 'mem-btoa',
    callback: `() => btoa('x'.repeat(1e8)).length`,
    outcomes: timeOrMemory,
  },
  {
    number: 329,
    name: 'mem-atob',
    callback: `() => atob('A'.repeat(1e8)).length`,
    outcomes: timeOrMemory,
  },
  {
    number: 330,
    name: 'mem-text-encoder',
    callback: `() => new TextEncoder().encode('€'.repeat(1e8)).length`,
    outcomes: limitOrError,
  },
  {
    number: 331,
    name: 'mem-text-decoder',
    callback: `() => { const k = []; for (;;) k.push(new TextDecoder('utf-16le').decode(new Uint8Array(2e7))) }`,
    outcomes: limitOrError,
  },
  {
    number: 332,
    name: 'mem-url',
    callback: `() => { for (;;) new URL('http://x/' + 'é'.repeat(1e6) + '?' + 'a=1&'.repeat(1e6)).searchParams.sort() }`,
    outcomes: limitOrError,
  },
]
