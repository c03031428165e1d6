/**
 * Entry of the thread that writes new files and makes them durable: on the event loop each step of each file
 * would be a visit to another thread. Files that came while others were being written are synced together, which
 * costs a file system with a journal one commit, and their folder is synced once.
 */
import { closeSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { crashPointReacher } from '../lib/crash-point.ts'
import { syncFolderNow } from '../lib/durable-folders.ts'
import { freeMemory } from '../lib/free-memory.ts'
import { serveThread, type ThreadReply, type ThreadRequest } from '../lib/thread-port.ts'
import { wireError } from '../lib/wire-error.ts'
import { FileWriter, type NewFile } from './new-file.ts'

export interface WriteRequest {
  readonly path: string
  readonly chunks: readonly Uint8Array[]
}

type Request = ThreadRequest<WriteRequest>

/** So many share their syncs, and wait for each other. */
const mostTogether = 8

const reach = crashPointReacher((workerData as { crashAt: string | null }).crashAt)
const writer = new FileWriter()

serveThread<WriteRequest>(parentPort!, () => ({
  greeting: null,
  isOneByOne: false,
  isFull: (batch) => batch.length >= mostTogether,
  answer: writeAll,
  close: () => {},
}))

function writeAll(requests: readonly Request[]): ThreadReply[] {
  const failures = new Map<Request, unknown>()
  const unlessFailed = (request: Request, step: () => void) => {
    if (failures.has(request)) return
    try {
      step()
    } catch (thrown) {
      failures.set(request, thrown)
    }
  }
  const files = new Map<Request, NewFile>()
  for (const request of requests) {
    const { path, chunks } = request.body
    unlessFailed(request, () => files.set(request, writer.write(path, chunks)))
    freeMemory(chunks)
  }
  reach('file-written')
  for (const [request, file] of files) {
    unlessFailed(request, () => file.sync())
    unlessFailed(request, () => closeSync(file.descriptor))
  }
  reach('file-synced')
  const folders = new Map<string, () => void>()
  for (const request of requests) {
    const folder = dirname(request.body.path)
    const sync = folders.get(folder) ?? once(() => syncFolderNow(folder))
    folders.set(folder, sync)
    unlessFailed(request, sync)
  }
  reach('folder-synced')
  return requests.map((request) =>
    failures.has(request)
      ? { id: request.id, ok: false, error: wireError(failures.get(request)) }
      : { id: request.id, ok: true, value: null },
  )
}

/** Does it at the first call only; every call throws what that threw. */
function once(work: () => void): () => void {
  let outcome: { thrown: unknown } | 'well' | null = null
  return () => {
    if (outcome === null) {
      try {
        work()
        outcome = 'well'
      } catch (thrown) {
        outcome = { thrown }
      }
    }
    if (outcome !== 'well') throw outcome.thrown
  }
}
