/**
 * The engine's end of a database thread: requests by number, replies in any order. With a clock given, the
 * same operations run in this thread.
 */
import { Worker } from 'node:worker_threads'
import { fault, messageOf } from '../../errors.ts'
import { crashPointReacher } from '../../lib/crash-point.ts'
import type { OperationName } from './operations.ts'
import { openSession } from './session.ts'
import { errorOf, executeWrites, type Reply } from './writer.ts'

export interface Connection {
  readonly epoch: string
  request(name: OperationName, parameters: readonly unknown[]): Promise<unknown>
  close(): Promise<void>
}

export interface ConnectionOptions {
  readonly file: string
  readonly readonly: boolean
  readonly crashAt: string | null
  readonly clock: (() => number) | null
}

export function connect(options: ConnectionOptions): Promise<Connection> {
  return options.clock === null
    ? connectThread(options)
    : Promise.resolve(connectHere(options, options.clock))
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

async function connectThread({ file, readonly, crashAt }: ConnectionOptions): Promise<Connection> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: { file, readonly, crashAt },
  })
  const pending = new Map<number, Pending>()
  let lastId = 0
  let ended: Error | null = null
  const opened = Promise.withResolvers<string>()
  const closed = Promise.withResolvers<void>()
  const end = (error: Error) => {
    ended ??= error
    opened.reject(error)
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
    closed.resolve()
  }
  worker.on('message', (message: Reply[] | 'closed' | { opened: string } | { failed: unknown }) => {
    if (message === 'closed') return closed.resolve()
    if ('opened' in message) return opened.resolve(message.opened)
    if ('failed' in message) return end(errorOf(message.failed))
    for (const reply of message) {
      const waiting = pending.get(reply.id)
      pending.delete(reply.id)
      if (reply.ok) waiting?.resolve(reply.value)
      else waiting?.reject(errorOf(reply.error))
    }
  })
  worker.on('error', (cause) =>
    end(fault('internal', `The database thread failed: ${messageOf(cause)}`, { cause })),
  )
  worker.on('exit', () => end(fault('shutting-down', 'The database is closed')))
  const epoch = await opened.promise
  return {
    epoch,
    request(name, parameters) {
      if (ended !== null) return Promise.reject(ended)
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const id = ++lastId
      pending.set(id, { resolve, reject })
      worker.postMessage({ id, name, parameters })
      return promise
    },
    async close() {
      worker.postMessage('close')
      await closed.promise
      await worker.terminate()
    },
  }
}

function connectHere({ file, readonly, crashAt }: ConnectionOptions, clock: () => number): Connection {
  const session = openSession({ file, readonly, reach: crashPointReacher(crashAt) })
  return {
    epoch: session.epoch,
    request(name, parameters) {
      const reply = executeWrites(session, clock, [{ id: 0, name, parameters }])[0]!
      return reply.ok ? Promise.resolve(reply.value) : Promise.reject(errorOf(reply.error))
    },
    async close() {
      session.database.close()
    },
  }
}
