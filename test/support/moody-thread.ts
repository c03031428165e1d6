/** A thread that answers with its number, and ends when it is told `end`. */
import { parentPort, threadId } from 'node:worker_threads'
import { serveThread } from '../../src/lib/thread-port.ts'
import { wireError } from '../../src/lib/wire-error.ts'

serveThread<'answer' | 'refuse' | 'end'>(parentPort!, () => ({
  greeting: null,
  isOneByOne: true,
  isFull: () => true,
  answer: (requests) =>
    requests.map(({ id, body }) => {
      if (body === 'end') process.exit(1)
      if (body === 'refuse') return { id, ok: false, error: wireError(new Error('no')) }
      return { id, ok: true, value: threadId }
    }),
  close: () => {},
}))
