/**
 * Entry of a database thread. The writing one takes everything that arrived while it was busy into its next
 * transaction; the reading one answers one by one and is never behind a write.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { crashPointReacher } from '../../lib/crash-point.ts'
import { serveThread, type ThreadReply, type ThreadRequest } from '../../lib/thread-port.ts'
import { niceness, yieldProcessorOfThread } from '../../lib/yield-processor.ts'
import { type ConnectionOptions, greetingOf } from './connection.ts'
import { isJson } from './operations.ts'
import { openSession } from './session.ts'
import { executeRead, executeWrites, type Operation } from './writer.ts'

/** At so many requests a transaction takes in no further ones. */
const largestBatch = 500

// What receives and answers comes first; the rows of what was answered are owed, and written when there is time.
yieldProcessorOfThread(niceness.soon)

serveThread<Operation>(parentPort!, () => {
  const { crashAt, ...options } = workerData as ConnectionOptions
  const { readonly } = options
  const session = openSession({ ...options, clock: null, reach: crashPointReacher(crashAt) })
  return {
    greeting: greetingOf(session),
    isOneByOne: readonly,
    isFull: (batch) => readonly || batch.length >= largestBatch,
    answer(batch) {
      const requests = batch.map(requestOf)
      if (readonly) return requests.map((request) => executeRead(session, request))
      return executeWrites(session, requests).map((reply, index) => replyOf(reply, requests[index]!))
    },
    close: () => session.database.close(),
  }
})

function requestOf(request: ThreadRequest<Operation>): ThreadRequest<Operation> {
  const { name, parameters } = request.body
  if (!isJson(name)) return request
  return { id: request.id, body: { name, parameters: JSON.parse(parameters[0] as string) } }
}

function replyOf(reply: ThreadReply, { body }: ThreadRequest<Operation>): ThreadReply {
  return reply.ok && isJson(body.name) ? { ...reply, value: JSON.stringify(reply.value) } : reply
}
