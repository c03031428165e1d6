/**
 * Entry of the thread that syncs files which were written earlier: thousands, one after the other. Each visit of
 * the event loop to another thread would cost as much as receiving an instance.
 */
import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { isSystemError } from '../errors.ts'
import { syncFolderNow } from '../lib/durable-folders.ts'
import { serveThread } from '../lib/thread-port.ts'
import { wireError } from '../lib/wire-error.ts'
import { niceness, yieldProcessorOfThread } from '../lib/yield-processor.ts'

yieldProcessorOfThread(niceness.atLeisure)

serveThread<readonly string[]>(parentPort!, () => ({
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
}))

function syncAll(paths: readonly string[]): void {
  for (const path of paths) syncIfThere(path)
  // Each folder once: while a folder is synced, no file can be made in it on some file systems.
  for (const folder of new Set(paths.map((path) => dirname(path)))) syncFolderNow(folder)
}

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
