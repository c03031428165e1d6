/** When a failed run is tried again, and when no more. */

export interface RetryPolicy {
  /** Tries in all. */
  readonly attempts: number
  readonly backoff: 'exponential' | 'fixed'
  /** Wait before the second try. */
  readonly delayMs: number
  /** How long after its change a delivery is still tried; null: for as long as there are tries. */
  readonly maxAgeMs: number | null
}

export interface FailedTry {
  /** From 1. */
  readonly attempt: number
  /** Since the change. */
  readonly ageMs: number
  /** How long the script asked to wait; null: it did not. */
  readonly retryAfterMs: number | null
}

const longestDelayMs = 3_600_000

/**
 * @param random 0 to 1: spreads retries that failed together, by a fifth to either side
 * @returns how long to wait; null: that was the last try
 */
export function retryDelayMs(policy: RetryPolicy, failed: FailedTry, random: number): number | null {
  if (failed.attempt >= policy.attempts) return null
  const delayMs = failed.retryAfterMs ?? backoffMs(policy, failed.attempt, random)
  return policy.maxAgeMs !== null && failed.ageMs + delayMs > policy.maxAgeMs ? null : delayMs
}

function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const factor = policy.backoff === 'exponential' ? 2 ** (attempt - 1) : 1
  return Math.round(Math.min(policy.delayMs * factor, longestDelayMs) * (0.8 + 0.4 * random))
}
