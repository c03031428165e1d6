/** What a terminal is shown of texts that are not ours. */
import { expect, it } from 'vitest'
import { onOneLine, printable, printableEntry } from '../../src/lib/printable.ts'

it('orders to a terminal are shown, not obeyed; line breaks, tabs and letters stay', () => {
  expect(printable('\u001b[2J\u0007\u009b1m')).toBe('\\u001b[2J\\u0007\\u009b1m')
  expect(printable('a\tb\nÄ 漢')).toBe('a\tb\nÄ 漢')
})

it('an entry is no more than one, and a message in a list is one line that ends', () => {
  expect(printableEntry('a\nb.ts  in-force\u001b')).toBe(`a\n${' '.repeat(12)}b.ts  in-force\\u001b`)
  expect(onOneLine('a\nb \t c')).toBe('a b c')
  expect(onOneLine('x'.repeat(8_000))).toBe(`${'x'.repeat(300)} …`)
})
