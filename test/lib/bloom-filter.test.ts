/** What was added is always known; what was not is hardly ever taken for it, however much the filter grew. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BloomFilter } from '../../src/lib/bloom-filter.ts'

it('what was added may be there, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
      const filter = new BloomFilter()
      for (const text of texts) filter.add(text)
      expect(texts.every((text) => filter.mayHave(text))).toBe(true)
    }),
  )
})

it('of what was not added less than one in two hundred is taken for it, also after growing twice', () => {
  const filter = new BloomFilter()
  const count = 200_000
  for (let n = 0; n < count; n++) filter.add(`1.2.840.${n}`)
  let mistaken = 0
  for (let n = count; n < 2 * count; n++) if (filter.mayHave(`1.2.840.${n}`)) mistaken++
  expect(mistaken).toBeLessThan(count / 200)
  expect(filter.mayHave('1.2.840.0')).toBe(true)
})
