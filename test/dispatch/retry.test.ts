import { expect, it } from 'vitest'
import { type FailedTry, nextTry, type RetryPolicy } from '../../src/dispatch/retry.ts'

const policy = { attempts: 4, backoff: 'exponential', delayMs: 1_000, maxAgeMs: null } as const
/** Null: there is none. */
const retryDelayMs = (...[asked, given, random]: [RetryPolicy, FailedTry, number]) => {
  const next = nextTry(asked, given, random)
  return 'delayMs' in next ? next.delayMs : null
}
const failed = (attempt: number) => ({ attempt, ageMs: 0, retryAfterMs: null })

it('doubles the wait from try to try', () => {
  expect([1, 2, 3].map((attempt) => retryDelayMs(policy, failed(attempt), 0.5))).toEqual([
    1_000, 2_000, 4_000,
  ])
})

it('gives up after the last try', () => {
  expect(retryDelayMs(policy, failed(4), 0.5)).toBeNull()
})

it('waits the same every time when told to', () => {
  expect(retryDelayMs({ ...policy, backoff: 'fixed' }, failed(3), 0.5)).toBe(1_000)
})

it('spreads retries by a fifth to either side', () => {
  expect(retryDelayMs(policy, failed(1), 0)).toBe(800)
  expect(retryDelayMs(policy, failed(1), 1)).toBe(1_200)
})

it('never waits longer than an hour and a fifth', () => {
  expect(retryDelayMs({ ...policy, attempts: 100 }, failed(60), 1)).toBe(4_320_000)
})

it('waits exactly as long as the script asked, and only while there are tries', () => {
  const asked = { ageMs: 0, retryAfterMs: 86_400_000 }
  expect(retryDelayMs(policy, { ...asked, attempt: 3 }, 0)).toBe(86_400_000)
  expect(retryDelayMs(policy, { ...asked, attempt: 4 }, 0)).toBeNull()
})

it('gives up when the next try would come after the maximum age', () => {
  const young = { ...policy, maxAgeMs: 10_000 }
  expect(retryDelayMs(young, { attempt: 1, ageMs: 9_000, retryAfterMs: null }, 0.5)).toBe(1_000)
  expect(retryDelayMs(young, { attempt: 1, ageMs: 9_001, retryAfterMs: null }, 0.5)).toBeNull()
  expect(retryDelayMs(young, { attempt: 1, ageMs: 0, retryAfterMs: 10_001 }, 0.5)).toBeNull()
})

it('says why there is no further try', () => {
  const old = { attempt: 1, ageMs: 0, retryAfterMs: 10_001 }
  expect(nextTry(policy, failed(4), 0)).toEqual({ lastBecause: 'It was tried 4 times' })
  expect(nextTry(policy, failed(6), 0)).toEqual({ lastBecause: 'It was tried 6 times' })
  expect(nextTry({ ...policy, attempts: 1 }, failed(1), 0)).toEqual({ lastBecause: 'It is tried once' })
  expect(nextTry({ ...policy, maxAgeMs: 10_000 }, old, 0)).toEqual({
    lastBecause: 'The next try would be later than 10 s after the change (retry.maxAge)',
  })
})
