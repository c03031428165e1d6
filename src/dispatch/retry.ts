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

/** How long to wait, or why there is no further try. */
export type NextTry = { readonly delayMs: number } | { readonly lastBecause: string }

/** @param random 0 to 1: spreads retries that failed together, by a fifth to either side */
export function nextTry(policy: RetryPolicy, failed: FailedTry, random: number): NextTry {
  const { attempts, maxAgeMs } = policy
  if (failed.attempt >= attempts) {
    // Those that a kill of the server cut off count, too.
    return { lastBecause: failed.attempt === 1 ? 'It is tried once' : `It was tried ${failed.attempt} times` }
  }
  const delayMs = failed.retryAfterMs ?? backoffMs(policy, failed.attempt, random)
  if (maxAgeMs === null || failed.ageMs + delayMs <= maxAgeMs) return { delayMs }
  return {
    lastBecause: `The next try would be later than ${maxAgeMs / 1_000} s after the change (retry.maxAge)`,
  }
}

function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const factor = policy.backoff === 'exponential' ? 2 ** (attempt - 1) : 1
  return Math.round(Math.min(policy.delayMs * factor, longestDelayMs) * (0.8 + 0.4 * random))
}
