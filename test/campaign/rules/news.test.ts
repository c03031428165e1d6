/** What was answered may be recorded at the time of a deletion that came in between, and at that of nothing else. */
import { expect, test } from 'vitest'
import { makeSmallWorld } from '../small-world.ts'
import { checkNews } from './news.ts'

const timesOf = (lateMs: number, before: readonly number[]) => {
  const world = makeSmallWorld()
  for (const seq of before) world.seen.database.changes[seq - 1]!.at = lateMs
  world.seen.database.changes[20 - 1]!.at = lateMs
  return checkNews(world.history, world.seen)
}

test('an instance is recorded at the time of the deletion before it, where the log has no earlier one', () => {
  expect(timesOf(6_200, [17, 18, 19])).toEqual([])
})

test('an instance is not recorded at a later time by itself, nor long after its answer', () => {
  const violation = [expect.stringMatching(/was recorded when nobody waited for it/)]
  expect(timesOf(6_200, [])).toEqual(violation)
  expect(timesOf(60_000, [17, 18, 19])).toEqual(violation)
})
