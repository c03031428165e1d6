/** Removes the runs and the changes that are kept no longer, a few at a time, so that others come in between. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Settings } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Store, Straggler } from '../store/store.ts'

const intervalMs = 60_000
/** Between two transactions, so that others come in between. */
const pauseMs = 50

export interface RetentionParts {
  readonly store: Pick<Store, 'retireRuns' | 'runsSize' | 'retireChanges' | 'logSize' | 'stragglers'>
  readonly settings: Pick<
    Settings,
    'runsKeepDays' | 'failuresKeepDays' | 'runsMaxMb' | 'logKeepDays' | 'logMaxBehind' | 'logMaxMb'
  >
  /** Nothing more is kept for that script. */
  readonly onStraggler: (straggler: Straggler) => void
  readonly log: Log
}

const dayMs = 86_400_000

/** Begins at once, and looks again every minute. */
export function startRetention(parts: RetentionParts): AsyncDisposable {
  const { store, settings, onStraggler, log } = parts
  const okMs = settings.runsKeepDays * dayMs
  const failedMs = settings.failuresKeepDays * dayMs
  const mostRunsBytes = settings.runsMaxMb * 1_048_576
  const mostLogBytes = settings.logMaxMb * 1_048_576
  const changes = { ageMs: settings.logKeepDays * dayMs, mostBehind: settings.logMaxBehind }
  const closing = new AbortController()
  const { signal } = closing
  const sweep = async () => {
    for (const each of await store.stragglers(changes.mostBehind)) onStraggler(each)
    const changesSize = await store.logSize()
    let tooManyChanges = excessOf(changesSize.changes, changesSize.bytes, mostLogBytes)
    /** Null: not known before those that are too old are gone. */
    let tooManyRuns: number | null = null
    let after: number | null = 0
    for (let isOver = false; !signal.aborted; ) {
      if (!isOver) {
        const { removed, isOver: isAsWanted } = await store.retireRuns({
          okMs,
          failedMs,
          tooMany: tooManyRuns ?? 0,
        })
        if (tooManyRuns !== null) tooManyRuns -= removed
        else if (isAsWanted) tooManyRuns = await tooMany()
        isOver = isAsWanted && (tooManyRuns ?? 1) <= 0
      }
      if (after !== null) {
        const { removed, last } = await store.retireChanges({ ...changes, tooMany: tooManyChanges, after })
        tooManyChanges = Math.max(0, tooManyChanges - removed)
        after = last
      }
      if (isOver && after === null) return
      await wait(pauseMs, undefined, { signal })
    }
  }
  const tooMany = async () => {
    const { runs, bytes } = await store.runsSize()
    return excessOf(runs, bytes, mostRunsBytes)
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

/** How many there are too many. */
function excessOf(count: number, bytes: number, mostBytes: number): number {
  return bytes > mostBytes ? Math.ceil(count * (1 - mostBytes / bytes)) : 0
}
