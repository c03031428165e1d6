/**
 * The engine's end of a database thread. With a clock given, the same operations run in this thread.
 */
import { crashPointReacher } from '../../lib/crash-point.ts'
import { startThread } from '../../lib/thread.ts'
import { errorFromWire } from '../../lib/wire-error.ts'
import { isJson, type OperationName } from './operations.ts'
import { numberIn, openSession, type Session } from './session.ts'
import { executeWrites, type Operation } from './writer.ts'

/** What the database says of itself when it is opened. */
export interface Greeting {
  readonly epoch: string
  /** Of the last entry of the journal that it has the rows of. */
  readonly knownNumber: number
  /** Of the last entry whose file, too, is synced. */
  readonly settledNumber: number
  /** The latest time that it ever showed. */
  readonly latestMs: number
}

export interface Connection {
  readonly greeting: Greeting
  request(name: OperationName, parameters: readonly unknown[]): Promise<unknown>
  close(): Promise<void>
}

export interface ConnectionOptions {
  readonly file: string
  readonly readonly: boolean
  readonly crashAt: string | null
}

export async function connectThread(options: ConnectionOptions): Promise<Connection> {
  const thread = await startThread<Operation>({
    name: 'The database thread',
    entry: new URL('./thread.ts', import.meta.url),
    data: options,
  })
  return {
    greeting: thread.greeting as Greeting,
    async request(name, parameters) {
      if (!isJson(name)) return thread.request({ name, parameters })
      return JSON.parse((await thread.request({ name, parameters: [JSON.stringify(parameters)] })) as string)
    },
    close: () => thread.close(),
  }
}

/** @param clock milliseconds that never go back */
export function connectHere({ file, readonly, crashAt }: ConnectionOptions, clock: () => number): Connection {
  const session = openSession({ file, readonly, reach: crashPointReacher(crashAt), clock })
  return {
    greeting: greetingOf(session),
    request(name, parameters) {
      const reply = executeWrites(session, [{ id: 0, body: { name, parameters } }])[0]!
      return reply.ok ? Promise.resolve(reply.value) : Promise.reject(errorFromWire(reply.error))
    },
    async close() {
      session.database.close()
    },
  }
}

export function greetingOf({ epoch, sql }: Session): Greeting {
  return {
    epoch,
    knownNumber: numberIn(sql, 'journal'),
    settledNumber: numberIn(sql, 'journal-settled'),
    latestMs: numberIn(sql, 'clock'),
  }
}
