/**
 * Sleeps until the earliest window is due, then lets the store fire it. While a window is open it ticks at
 * least every second, so that the store knows that silence was observed; with none open it sleeps for good.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'

/** Well below the gap that the store takes for unobserved time. */
const longestSleepMs = 1_000
/** After the store has failed, for a full disk say. */
const retryMs = 1_000

export interface Ticking extends AsyncDisposable {
  /** A window was opened or moved that may be due in that time: the sleep ends by then. */
  wake(inMs: number): void
  /** Resolves when the tick in hand has ended. */
  close(): Promise<void>
}

/**
 * @param onFired called after a tick that fired something
 */
export function startTicking(store: Pick<Store, 'tick'>, log: Log, onFired: () => void): Ticking {
  let timer: NodeJS.Timeout | null = null
  /** When the timer ends, of `performance.now()`; infinity while nothing is awaited. */
  let dueAt = Number.POSITIVE_INFINITY
  let running: Promise<void> | null = null
  let closed = false

  const sleepUntil = (at: number) => {
    if (closed || at >= dueAt) return
    dueAt = at
    if (running !== null) return
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(start, Math.max(0, at - performance.now()))
  }
  const start = () => {
    timer = null
    dueAt = Number.POSITIVE_INFINITY
    running = run()
  }
  const run = async () => {
    let nextInMs: number | null
    try {
      const report = await store.tick()
      if (report.fired > 0) onFired()
      nextInMs = report.nextCheckInMs
    } catch (error) {
      if (!closed) log.error({ reason: messageOf(error) }, 'Windows could not be checked; trying again')
      nextInMs = retryMs
    }
    running = null
    // A wake during the tick left its time in `dueAt`.
    const wokenAt = dueAt
    dueAt = Number.POSITIVE_INFINITY
    const nextAt = nextInMs === null ? wokenAt : performance.now() + Math.min(nextInMs, longestSleepMs)
    if (Math.min(nextAt, wokenAt) < Number.POSITIVE_INFINITY) sleepUntil(Math.min(nextAt, wokenAt))
  }
  const close = async () => {
    closed = true
    if (timer !== null) clearTimeout(timer)
    await running
  }
  start()
  return {
    wake: (inMs) => sleepUntil(performance.now() + Math.min(inMs, longestSleepMs)),
    close,
    [Symbol.asyncDispose]: close,
  }
}
