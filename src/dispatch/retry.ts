/** When a failed run is tried again, and when no more. */

export interface RetryPolicy {
  /** Tries in all. */
  readonly attempts: number
  readonly backoff: 'exponential' | 'fixed'
  /** Wait before the second try. */
  readonly delayMs: number
}

const longestDelayMs = 3_600_000

/**
 * @param attempt the try that failed, from 1
 * @param random 0 to 1: spreads retries that failed together, by a fifth to either side
 * @returns how long to wait; null: that was the last try
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number | null {
  if (attempt >= policy.attempts) return null
  const factor = policy.backoff === 'exponential' ? 2 ** (attempt - 1) : 1
  return Math.round(Math.min(policy.delayMs * factor, longestDelayMs) * (0.8 + 0.4 * random))
}
