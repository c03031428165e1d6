/**
 * Entry of a database thread. The writing one takes everything that arrived while it was busy into its next
 * transaction; the reading one answers one by one and is never behind a write.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { OnStableError } from '../../errors.ts'
import { crashPointReacher } from '../../lib/crash-point.ts'
import { openSession, persistentClock } from './session.ts'
import { executeRead, executeWrites, type Request } from './writer.ts'

const { file, readonly, crashAt } = workerData as { file: string; readonly: boolean; crashAt: string | null }
const port = parentPort!
const maxBatch = 500

try {
  const session = openSession({ file, readonly, reach: crashPointReacher(crashAt) })
  const clock = persistentClock(session)
  port.postMessage({ opened: session.epoch })
  port.on('message', (first: Request | 'close') => {
    if (first === 'close') return close()
    if (readonly) return port.postMessage([executeRead(session, clock, first)])
    const batch = [first]
    let closing = false
    while (batch.length < maxBatch) {
      const next = receiveMessageOnPort(port)
      if (next === undefined) break
      if (next.message === 'close') {
        closing = true
        break
      }
      batch.push(next.message as Request)
    }
    port.postMessage(executeWrites(session, clock, batch))
    if (closing) close()
  })
  const close = () => {
    session.database.close()
    port.postMessage('closed')
    port.close()
  }
} catch (cause) {
  const known = cause instanceof OnStableError
  port.postMessage({ failed: { code: known ? cause.code : 'internal', message: (cause as Error).message } })
}
