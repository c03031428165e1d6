/** Ctrl-C and its like. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** A launcher hands on a signal that the terminal has sent to both: that is one wish, not two. */
const sameWishMs = 500

/**
 * Calls `onFirst` when the process is asked to end, and `onSecond` when it is asked again.
 * @returns stops listening
 */
export function onInterrupt(onFirst: () => void, onSecond: () => void = () => {}): () => void {
  let firstAtMs: number | null = null
  const listener = () => {
    const nowMs = performance.now()
    if (firstAtMs === null) {
      firstAtMs = nowMs
      onFirst()
    } else if (nowMs - firstAtMs > sameWishMs) {
      onSecond()
    }
  }
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}
