/** The store's clock: starts at the latest time it ever showed, or the wall clock's if that is later. */

/** Milliseconds that never go back while the process lives. */
export type Clock = () => number

export interface PersistentClock {
  readonly now: Clock
  /** A time that was shown before, learned of late: no later one comes before it. */
  showAtLeast(ms: number): void
}

/** @param shownMs the latest time that was ever shown */
export function persistentClock(shownMs: number): PersistentClock {
  // One clock only: a pause between the readings of two would stay in every time of this process.
  const wallClock = () => performance.timeOrigin + performance.now()
  let latestMs = 0
  let aheadMs = 0
  const showAtLeast = (ms: number) => {
    latestMs = Math.max(latestMs, ms)
    aheadMs = Math.max(aheadMs, latestMs - wallClock())
  }
  showAtLeast(shownMs)
  return { now: () => Math.max(latestMs, Math.floor(wallClock() + aheadMs)), showAtLeast }
}
