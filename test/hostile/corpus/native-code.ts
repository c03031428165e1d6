/** Native code that no timeout interrupts, for as long as it takes. */
import { type Attack, limitOrError, limitOrNothing, time, timeOrMemory } from '../attack.ts'

export const nativeCode: readonly Attack[] = [
  {
    number: 201,
    name: 'cpu-bigint-write-loop',
    callback: '() => { const x = 7n ** 400000n; for (;;) x.toString() }',
    outcomes: time,
  },
  {
    number: 202,
    name: 'cpu-bigint-multiply',
    callback: '() => { let x = 3n; for (;;) x = x * x }',
    outcomes: limitOrError,
  },
  {
    number: 203,
    name: 'cpu-bigint-read',
    callback: `() => BigInt('9'.repeat(2e7))`,
    outcomes: limitOrError,
  },
  {
    number: 204,
    name: 'cpu-bigint-divide',
    callback: '() => { const x = 3n ** 20000000n, y = 7n ** 3000000n; for (;;) x % y }',
    outcomes: limitOrError,
  },
  {
    number: 205,
    name: 'cpu-bigint-format',
    callback: `() => new Intl.NumberFormat('de').format(7n ** 2000000n).length`,
    outcomes: limitOrNothing,
  },
  {
    number: 206,
    name: 'cpu-search-through-nothing',
    callback: '() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
    outcomes: time,
  },
  {
    number: 207,
    name: 'cpu-reverse-nothing',
    callback: '() => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })',
    outcomes: time,
  },
  {
    number: 208,
    name: 'cpu-sort-nothing',
    callback: '() => Array.prototype.sort.call({ length: 2 ** 53 - 1 })',
    outcomes: limitOrError,
  },
  {
    number: 209,
    name: 'cpu-raw-without-end',
    callback: '() => String.raw({ raw: { length: 2 ** 53 - 1 } })',
    outcomes: limitOrError,
  },
  {
    number: 210,
    name: 'cpu-normalize-expanding',
    callback: `() => { for (;;) '\\ufdfa'.repeat(4e5).normalize('NFKD') }`,
    outcomes: timeOrMemory,
  },
  {
    number: 211,
    name: 'cpu-collator-numeric',
    callback: `() => {
      const collator = new Intl.Collator('de', { numeric: true }), s = 'é9'.repeat(1 << 21)
      for (;;) collator.compare(s, s + 'a')
    }`,
    outcomes: timeOrMemory,
  },
  {
    number: 212,
    name: 'cpu-many-locales',
    callback: `() => Intl.getCanonicalLocales(Array.from({ length: 2e5 }, (_, i) => 'en-u-ca-x' + (i + 1e5)))`,
    outcomes: limitOrNothing,
  },
  {
    number: 213,
    name: 'cpu-encode-uri',
    callback: `() => { const s = '€'.repeat(1 << 20); for (;;) encodeURIComponent(s) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 214,
    name: 'cpu-typedarray-search',
    callback: '() => { const a = new Uint8Array(2e7); for (;;) a.indexOf(1) }',
    outcomes: time,
  },
  {
    number: 215,
    name: 'cpu-typedarray-sort-native',
    callback:
      '() => { const a = new Float64Array(2e6).map((_, i) => (i * 7919) % 1000003); for (;;) a.toSorted() }',
    outcomes: timeOrMemory,
  },
  {
    number: 216,
    name: 'cpu-array-sort-native',
    callback:
      '() => { const a = Array.from({ length: 1e6 }, (_, i) => (i * 7919) % 1000003); for (;;) a.toSorted() }',
    outcomes: timeOrMemory,
  },
  {
    number: 217,
    name: 'cpu-json-indented',
    callback: `() => { const a = Array(1e6).fill({ a: 1 }); for (;;) JSON.stringify(a, null, 10) }`,
    outcomes: limitOrError,
  },
  {
    number: 218,
    name: 'cpu-segmenter',
    callback: `() => { for (;;) for (const s of new Intl.Segmenter('th', { granularity: 'word' }).segment('ก'.repeat(1e6))); }`,
    outcomes: timeOrMemory,
  },
  {
    number: 219,
    name: 'cpu-drop-for-ever',
    callback: '() => Iterator.from({ next: () => ({ done: false }) }).drop(Infinity).next()',
    outcomes: time,
  },
]
