/** Removes the runs that are kept no longer, a few at a time and only while nothing else is to be done. */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'

const intervalMs = 60_000
/** Between two transactions, so that others come in between. */
const pauseMs = 50

export interface RetentionParts {
  readonly store: Pick<Store, 'retireRuns' | 'runsBytes'>
  readonly okMs: number
  readonly failedMs: number
  readonly mostBytes: number
  readonly log: Log
}

/** Begins at once, and looks again every minute. */
export function startRetention({ store, okMs, failedMs, mostBytes, log }: RetentionParts): AsyncDisposable {
  const closing = new AbortController()
  const { signal } = closing
  const sweep = async () => {
    for (;;) {
      const tooMany = (await store.runsBytes()) > mostBytes
      const more = await store.retireRuns({ okMs, failedMs, tooMany })
      if (!more || signal.aborted) return
      await wait(pauseMs, undefined, { signal })
    }
  }
  const running = (async () => {
    while (!signal.aborted) {
      try {
        await sweep()
      } catch (error) {
        if (!signal.aborted) log.error({ reason: messageOf(error) }, 'Old runs could not be removed')
      }
      await wait(intervalMs, undefined, { signal, ref: false }).catch(() => {})
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
    },
  }
}
