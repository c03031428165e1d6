/** What a terminal is shown of texts that are not ours. */
import { expect, it } from 'vitest'
import { printable } from '../../src/lib/printable.ts'

it('orders to a terminal are shown, not obeyed; line breaks, tabs and letters stay', () => {
  expect(printable('\u001b[2J\u0007\u009b1m')).toBe('\\u001b[2J\\u0007\\u009b1m')
  expect(printable('a\tb\nÄ 漢')).toBe('a\tb\nÄ 漢')
})
