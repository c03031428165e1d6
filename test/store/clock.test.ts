/** The store's clock at its start. */
import { afterEach, expect, it, vi } from 'vitest'
import { persistentClock } from '../../src/store/sqlite/clock.ts'

afterEach(() => vi.restoreAllMocks())

it('shows the time of the wall clock, however long the process was held up when it began', () => {
  const { now } = Date
  vi.spyOn(Date, 'now').mockImplementation(() => {
    const read = now()
    while (now() < read + 60);
    return read
  })
  const clock = persistentClock(0)
  const shown = clock.now()
  expect(Math.abs(shown - now())).toBeLessThan(30)
})

it('goes on from the latest time that it showed', () => {
  const later = Date.now() + 3_600_000
  const clock = persistentClock(later)
  expect(clock.now()).toBeGreaterThanOrEqual(later)
  expect(clock.now()).toBeLessThan(later + 1_000)
})

it('learns of late that it showed a later time, and goes on from there', () => {
  const clock = persistentClock(0)
  const later = Date.now() + 3_600_000
  clock.showAtLeast(later)
  expect(clock.now()).toBeGreaterThanOrEqual(later)
  expect(clock.now()).toBeLessThan(later + 1_000)
})
