/** Durations as people write them. */
import { expect, test } from 'vitest'
import { parseDurationMs } from '../../src/lib/duration.ts'

const durations: [string, number | null][] = [
  ['30s', 30_000],
  ['0s', 0],
  ['1.5m', 90_000],
  ['250ms', 250],
  [' 2 h ', 7_200_000],
  ['7d', 604_800_000],
  ['30', null],
  ['s', null],
  ['-1s', null],
  ['1,5s', null],
  ['.5s', null],
  ['1e3s', null],
  ['30S', null],
  ['30s later', null],
  ['1m30s', null],
  ['', null],
]
test.each(durations)('%j is %s ms', (text, expectedMs) => {
  expect(parseDurationMs(text)).toBe(expectedMs)
})
