/**
 * The engine's end of a database thread. With a clock given, the same operations run in this thread.
 */
import type { Transferable } from 'node:worker_threads'
import { crashPointReacher } from '../../lib/crash-point.ts'
import { startThread } from '../../lib/thread.ts'
import { errorFromWire } from '../../lib/wire-error.ts'
import type { OperationName } from './operations.ts'
import { openSession } from './session.ts'
import { executeWrites, type Operation } from './writer.ts'

export interface Connection {
  readonly epoch: string
  /** @param transfer memory that moves to the thread, and is of no use here afterwards */
  request(
    name: OperationName,
    parameters: readonly unknown[],
    transfer?: readonly Transferable[],
  ): Promise<unknown>
  close(): Promise<void>
}

export interface ConnectionOptions {
  readonly file: string
  readonly readonly: boolean
  readonly crashAt: string | null
  readonly segmentBytes?: number | undefined
}

export async function connectThread(options: ConnectionOptions): Promise<Connection> {
  const thread = await startThread<Operation>({
    name: 'The database thread',
    entry: new URL('./thread.ts', import.meta.url),
    data: options,
  })
  return {
    epoch: thread.greeting as string,
    request: (name, parameters, transfer) => thread.request({ name, parameters }, transfer),
    close: () => thread.close(),
  }
}

/** @param clock milliseconds that never go back */
export function connectHere(
  { file, readonly, crashAt, segmentBytes }: ConnectionOptions,
  clock: () => number,
): Connection {
  const session = openSession({ file, readonly, reach: crashPointReacher(crashAt), segmentBytes })
  return {
    epoch: session.epoch,
    request(name, parameters) {
      const reply = executeWrites(session, clock, [{ id: 0, body: { name, parameters } }])[0]!
      return reply.ok ? Promise.resolve(reply.value) : Promise.reject(errorFromWire(reply.error))
    },
    async close() {
      session.journal?.close()
      session.database.close()
    },
  }
}
