/**
 * Syncs in peace what was written unsynced, a batch at a time, and then tells the store that keeps the bytes
 * that it need not any more.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Storage } from './storage.ts'

/** What a store keeps the bytes of. */
export interface UnsyncedList {
  unsyncedFiles(all: boolean): Promise<{ batch: number; files: readonly string[] } | null>
  forgetBytes(batch: number): Promise<void>
}

export interface WriteBehind extends AsyncDisposable {
  /** False while files are better synced at once: so much waits, or their bytes cannot be kept. */
  mayWriteUnsynced(): boolean
  /** The store could not keep the bytes of a file. */
  onFailure(): void
  /** To be told how many batches wait, whenever the store says so. */
  onBatches(count: number): void
  /** Syncs everything. */
  close(): Promise<void>
}

/** Bytes that a store keeps for longer than needed are disk space and time of a restart. */
const mostBatches = 16
const retryMs = 5_000

export function openWriteBehind(list: UnsyncedList, storage: Pick<Storage, 'sync'>, log: Log): WriteBehind {
  const closing = new AbortController()
  let batches = 0
  let failedAt = Number.NEGATIVE_INFINITY
  let running: Promise<void> | null = null

  const syncOldest = async (all: boolean): Promise<boolean> => {
    const unsynced = await list.unsyncedFiles(all)
    if (unsynced === null) return false
    const { batch, files } = unsynced
    await storage.sync(files)
    await list.forgetBytes(batch)
    return true
  }

  const run = async () => {
    while (!closing.signal.aborted) {
      try {
        if (!(await syncOldest(false))) return
        batches--
      } catch (error) {
        log.error(
          { reason: messageOf(error) },
          'Files could not be synced; their bytes are kept, trying again',
        )
        await wait(retryMs, undefined, { signal: closing.signal }).catch(() => {})
      }
    }
  }

  const close = async () => {
    closing.abort()
    await running
    try {
      while (await syncOldest(true));
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'Files could not be synced; the next start sees to them')
    }
  }

  return {
    mayWriteUnsynced: () => batches < mostBatches && performance.now() - failedAt > retryMs,
    onFailure() {
      failedAt = performance.now()
    },
    onBatches(count) {
      batches = count
      if (count === 0 || running !== null || closing.signal.aborted) return
      running = run().finally(() => {
        running = null
      })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
