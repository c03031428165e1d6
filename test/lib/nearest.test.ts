/** The word that was probably meant. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { editDistance, meant, nearest } from '../../src/lib/nearest.ts'

test('a misspelt word is nearest to the one that was meant, whatever its case', () => {
  const words = ['httpPort', 'dicomPort', 'stableAge', 'maxWait']
  expect(['htppPort', 'DICOMPORT', 'stabelage', 'maxWiat'].map((word) => nearest(word, words))).toEqual(words)
})

test('of words that are equally near the first is taken, and of none an empty one', () => {
  expect(nearest('b', ['a', 'c'])).toBe('a')
  expect(nearest('b', [])).toBe('')
})

test('the distance is the number of letters that are put in, left out or changed', () => {
  const distances: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 2],
    ['kitten', 'sitting', 3],
  ]
  for (const [from, to, distance] of distances)
    expect([from, to, editDistance(from, to)]).toEqual([from, to, distance])
})

test('the distance is the same in both directions, and never shorter by a detour', () => {
  const word = fc.string({ maxLength: 8 })
  fc.assert(
    fc.property(word, word, word, (from, over, to) => {
      expect(editDistance(from, to)).toBe(editDistance(to, from))
      expect(editDistance(from, to)).toBeLessThanOrEqual(editDistance(from, over) + editDistance(over, to))
    }),
  )
})

test('what is near is suggested; where nothing is, the words are told that there are', () => {
  expect(meant('attemps', ['attempts', 'delay'])).toBe('did you mean "attempts"?')
  expect(meant('good', ['good.js', 'bad.js'])).toBe('did you mean "good.js"?')
  expect(meant('jitter', ['attempts', 'delay'])).toBe('there are "attempts", "delay"')
  expect(meant('jitter', ['delay'])).toBe('there is "delay"')
  const many = Array.from({ length: 13 }, (_, n) => `word${n}`)
  expect(meant('other', many)).toMatch(/^there are "word0", .*"word11" …$/)
})
