/**
 * Entry of a database thread. The writing one takes everything that arrived while it was busy into its next
 * transaction; the reading one answers one by one and is never behind a write.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { crashPointReacher } from '../../lib/crash-point.ts'
import { serveThread } from '../../lib/thread-port.ts'
import type { ConnectionOptions } from './connection.ts'
import { openSession, persistentClock } from './session.ts'
import { executeRead, executeWrites, type Operation } from './writer.ts'

/** At so many requests a transaction takes in no further ones. */
const largestBatch = 500

serveThread<Operation>(parentPort!, () => {
  const { crashAt, ...options } = workerData as ConnectionOptions
  const { readonly } = options
  const session = openSession({ ...options, reach: crashPointReacher(crashAt) })
  const clock = persistentClock(session)
  return {
    greeting: session.epoch,
    isOneByOne: readonly,
    isFull: (batch) => readonly || batch.length >= largestBatch,
    answer: (batch) =>
      readonly
        ? batch.map((request) => executeRead(session, clock, request))
        : executeWrites(session, clock, batch),
    close() {
      session.journal?.close()
      session.database.close()
    },
  }
})
