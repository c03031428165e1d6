/**
 * Entry of the storage's thread. It does what came in while it was busy, one file after the other, and then
 * makes the entries of each folder durable with one sync.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { crashPointReacher, type ReachPoint } from '../lib/crash-point.ts'
import { unlinkFile, writeNewFile } from '../lib/new-file.ts'
import { serveThread, type ThreadReply, type ThreadRequest } from '../lib/thread-port.ts'
import { wireError } from '../lib/wire-error.ts'

import { restoreFile, syncFile } from './disk.ts'
import { FolderSyncs } from './folder-syncs.ts'

export type DiskTask =
  | { readonly kind: 'write'; readonly path: string; readonly pieces: readonly Uint8Array[] }
  | { readonly kind: 'sync'; readonly path: string }
  /** Makes the file have these bytes, whatever a crash made of it. */
  | { readonly kind: 'restore'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'unlink'; readonly path: string }

type Request = ThreadRequest<DiskTask>

/** Who is answered first waits for the last of the batch. */
const largestBatch = 32
const largestBatchBytes = 8 * 1024 * 1024

serveThread<DiskTask>(parentPort!, () => {
  const { crashAt } = workerData as { crashAt: string | null }
  const reach = crashPointReacher(crashAt)
  const folders = new FolderSyncs()

  const perform = ({ id, body }: Request): ThreadReply => {
    try {
      act(body, reach)
      folders.touch(body.path)
      return { id, ok: true, value: undefined }
    } catch (thrown) {
      return { id, ok: false, error: wireError(thrown) }
    }
  }
  return {
    greeting: null,
    isOneByOne: false,
    isFull: (batch) => batch.length >= largestBatch || bytesOf(batch) >= largestBatchBytes,
    answer(batch) {
      const replies = batch.map(perform)
      const failures = folders.sync()
      if (batch.some(({ body }) => body.kind === 'write')) reach('folder-synced')
      return replies.map((reply, index) => {
        const failure = failures.of(batch[index]!.body.path)
        return reply.ok && failure !== null ? { id: reply.id, ok: false, error: wireError(failure) } : reply
      })
    },
    close: () => folders.close(),
  }
})

function act(task: DiskTask, reach: ReachPoint): void {
  switch (task.kind) {
    case 'write':
      writeNewFile(task.path, task.pieces, { isSynced: true, reach })
      break
    case 'sync':
      syncFile(task.path)
      break
    case 'restore':
      restoreFile(task.path, task.bytes)
      break
    case 'unlink':
      unlinkFile(task.path)
      break
    default:
      task satisfies never
  }
}

function bytesOf(batch: readonly Request[]): number {
  let bytes = 0
  for (const { body } of batch)
    if (body.kind === 'write') for (const piece of body.pieces) bytes += piece.length
  return bytes
}
