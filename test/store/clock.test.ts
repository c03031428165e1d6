/** The store's clock at its start. */
import { afterEach, expect, it, vi } from 'vitest'
import { persistentClock, type Session } from '../../src/store/sqlite/session.ts'

afterEach(() => vi.restoreAllMocks())

/** As much of a session as the clock asks for: the latest time that it showed before. */
function sessionThatShowed(value: number | undefined): Session {
  const row = value === undefined ? undefined : { value }
  return { sql: () => ({ get: () => row }) } as unknown as Session
}

it('shows the time of the wall clock, however long the process was held up when it began', () => {
  const { now } = Date
  vi.spyOn(Date, 'now').mockImplementation(() => {
    const read = now()
    while (now() < read + 60);
    return read
  })
  const clock = persistentClock(sessionThatShowed(undefined))
  const shown = clock()
  expect(Math.abs(shown - now())).toBeLessThan(30)
})

it('goes on from the latest time that it showed', () => {
  const later = Date.now() + 3_600_000
  const clock = persistentClock(sessionThatShowed(later))
  expect(clock()).toBeGreaterThanOrEqual(later)
  expect(clock()).toBeLessThan(later + 1_000)
})
