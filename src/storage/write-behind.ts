/**
 * Syncs in peace what was written unsynced, a batch at a time, and then tells the store that keeps the bytes
 * that it need not any more.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { type KeptFile, keptPages } from './kept-pages.ts'
import type { Storage } from './storage.ts'

/** What a store keeps the bytes of. */
export interface UnsyncedList {
  unsyncedFiles(all: boolean): Promise<{ batch: number; files: readonly string[] } | null>
  unsyncedBytes(batch: number, after: number): Promise<readonly KeptFile[]>
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
const usualRetryMs = 5_000

/** @param retryMs shorter than usual only in tests */
export function openWriteBehind(
  list: UnsyncedList,
  storage: Pick<Storage, 'sync' | 'rewrite'>,
  log: Log,
  retryMs = usualRetryMs,
): WriteBehind {
  const closing = new AbortController()
  let batches = 0
  let hasFailed = false
  let failedAt = Number.NEGATIVE_INFINITY
  let running: Promise<void> | null = null

  const syncOldest = async (all: boolean): Promise<boolean> => {
    const unsynced = await list.unsyncedFiles(all)
    if (unsynced === null) return false
    const { batch, files } = unsynced
    if (hasFailed) await rewriteAll(batch)
    hasFailed = true
    await storage.sync(files)
    hasFailed = false
    await list.forgetBytes(batch)
    return true
  }

  /** After a sync that failed, the next one can succeed without what the first has not written. */
  const rewriteAll = async (batch: number) => {
    for await (const page of keptPages((after) => list.unsyncedBytes(batch, after))) {
      for (const { file, bytes } of page) await storage.rewrite(file, bytes)
    }
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
