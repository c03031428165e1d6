import { expect, it } from 'vitest'
import { retryDelayMs } from '../../src/dispatch/retry.ts'

const policy = { attempts: 4, backoff: 'exponential', delayMs: 1_000 } as const

it('doubles the wait from try to try', () => {
  expect([1, 2, 3].map((attempt) => retryDelayMs(policy, attempt, 0.5))).toEqual([1_000, 2_000, 4_000])
})

it('gives up after the last try', () => {
  expect(retryDelayMs(policy, 4, 0.5)).toBeNull()
})

it('waits the same every time when told to', () => {
  expect(retryDelayMs({ ...policy, backoff: 'fixed' }, 3, 0.5)).toBe(1_000)
})

it('spreads retries by a fifth to either side', () => {
  expect(retryDelayMs(policy, 1, 0)).toBe(800)
  expect(retryDelayMs(policy, 1, 1)).toBe(1_200)
})

it('never waits longer than an hour and a fifth', () => {
  expect(retryDelayMs({ ...policy, attempts: 100 }, 60, 1)).toBe(4_320_000)
})
