/**
 * Keeps this thread from falling asleep for a moment. To be woken takes as long as half of a short run, several times in
 * each: so while one run is at work by itself, the event loop goes round instead of waiting. Everything else that
 * comes is served as ever, and with more than one at work there is always somebody awake.
 */

/** Longer runs are waited for as ever. */
const awakeMs = 0.25

/** @param isWanted asked each time round */
export function stayAwake(isWanted: () => boolean): void {
  const untilMs = performance.now() + awakeMs
  const goRound = () => {
    if (performance.now() < untilMs && isWanted()) setImmediate(goRound)
  }
  setImmediate(goRound)
}
