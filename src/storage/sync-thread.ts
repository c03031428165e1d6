/**
 * Entry of the thread that syncs files which were written earlier: thousands, with their whole file system or one
 * after the other. Each visit of the event loop to another thread would cost as much as receiving an instance.
 */
import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { isSystemError } from '../errors.ts'
import { syncFolderNow } from '../lib/durable-folders.ts'
import { syncFileSystemOf } from '../lib/file-system-sync.ts'
import { serveThread } from '../lib/thread-port.ts'
import { wireError } from '../lib/wire-error.ts'
import { niceness, yieldProcessorOfThread } from '../lib/yield-processor.ts'

/** Fewer are as well synced by themselves, without what others wrote to the same file system. */
const manyFiles = 64
/** Another program keeps the file system busy: the next files are not to wait for what it writes. */
const longMs = 1_000

yieldProcessorOfThread(niceness.atLeisure)

serveThread<readonly string[]>(parentPort!, () => {
  let lastTookMs = 0
  let mayBeWhole = true

  const syncAll = (paths: readonly string[]) => {
    const beganAt = performance.now()
    const folders = [...new Set(paths.map((path) => dirname(path)))]
    if (paths.length >= manyFiles && mayBeWhole && lastTookMs < longMs) {
      // A failure is told once, whichever files it was of; those of later batches have to tell it themselves.
      mayBeWhole = folders.every(syncFileSystemOf)
      lastTookMs = performance.now() - beganAt
      if (mayBeWhole) return
    }
    lastTookMs = 0
    for (const path of paths) syncIfThere(path)
    // Each folder once: while a folder is synced, no file can be made in it on some file systems.
    for (const folder of folders) syncFolderNow(folder)
  }

  return {
    greeting: null,
    isOneByOne: true,
    isFull: () => true,
    answer: (requests) =>
      requests.map(({ id, body: paths }) => {
        try {
          syncAll(paths)
          return { id, ok: true, value: null }
        } catch (thrown) {
          return { id, ok: false, error: wireError(thrown) }
        }
      }),
    close: () => {},
  }
})

/** One that was deleted meanwhile needs no sync. */
function syncIfThere(path: string): void {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return
    throw thrown
  }
  try {
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
