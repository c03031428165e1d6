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
  /** What it throws is the failure of all that it is done for. */
  const attempt = (sharers: readonly Request[], step: () => void) => {
    try {
      step()
    } catch (thrown) {
      for (const request of sharers) failures.set(request, thrown)
    }
  }
  const files = new Map<Request, NewFile>()
  for (const request of requests) {
    const { path, chunks } = request.body
    attempt([request], () => files.set(request, writer.write(path, chunks)))
    freeMemory(chunks)
  }
  reach('file-written')
  for (const [request, file] of files) attempt([request], () => syncAndClose(file))
  reach('file-synced')
  const synced = requests.filter((request) => !failures.has(request))
  for (const [folder, inside] of Map.groupBy(synced, ({ body }) => dirname(body.path))) {
    attempt(inside, () => syncFolderNow(folder))
  }
  reach('folder-synced')
  return requests.map((request) =>
    failures.has(request)
      ? { id: request.id, ok: false, error: wireError(failures.get(request)) }
      : { id: request.id, ok: true, value: null },
  )
}

function syncAndClose(file: NewFile): void {
  try {
    file.sync()
  } finally {
    closeSync(file.descriptor)
  }
}
