/**
 * Spares those who ask from waiting for one who does not answer: after some failures in a row it is asked only now
 * and then, until it answers again.
 */

/** Failures in a row. */
const mostFailures = 5
const probeMs = 1_000

export class Breaker {
  #failures = 0
  #askedAtMs = Number.NEGATIVE_INFINITY

  /** Since it answered last. */
  get failures(): number {
    return this.#failures
  }

  /** Whether it may be asked now. */
  mayAsk(nowMs: number): boolean {
    if (this.#failures >= mostFailures && nowMs - this.#askedAtMs < probeMs) return false
    this.#askedAtMs = nowMs
    return true
  }

  answered(): void {
    this.#failures = 0
  }

  /** True: from now on it is asked only now and then. */
  failed(): boolean {
    return ++this.#failures === mostFailures
  }
}
