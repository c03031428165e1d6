/**
 * The store on SQLite: one file in the data folder, a thread that writes and a thread that reads, so that
 * neither the disk nor a long listing ever stops the engine's event loop.
 */
import { join } from 'node:path'
import type { Arrival, Store } from '../store.ts'
import { type Connection, connectHere, connectThread } from './connection.ts'
import { lockFolder } from './lock.ts'
import { type OperationName, operations } from './operations.ts'

export interface SqliteOptions {
  /** An existing folder. */
  readonly folder: string
  /** Name of a crash point; only in tests. */
  readonly crashAt?: string | null
  /** Runs everything in this thread on this clock (milliseconds); only in tests. */
  readonly clock?: (() => number) | null
  /** Size of the journal's segments; smaller than usual only in tests. */
  readonly segmentBytes?: number
}

/**
 * Opens the database, creating it if there is none. One process at a time can have it open.
 * @throws `data-folder`, `newer-database`
 */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const { folder, crashAt = null, clock = null, segmentBytes } = options
  const unlock = lockFolder(folder)
  try {
    const file = join(folder, 'index.sqlite')
    const write = { file, readonly: false, crashAt, segmentBytes }
    const writer = clock === null ? await connectThread(write) : connectHere(write, clock)
    const reader = clock === null ? await connectThread({ ...write, readonly: true }) : writer
    await writer.request('reclaimLeases', [])
    return storeOn(writer, reader, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function storeOn(writer: Connection, reader: Connection, unlock: () => void): Store {
  const methods: Record<string, unknown> = {}
  for (const name of Object.keys(operations) as OperationName[]) {
    const connection = operations[name].writes ? writer : reader
    methods[name] = (...parameters: unknown[]) => connection.request(name, parameters)
  }
  methods.record = (arrival: Arrival) => {
    const { content } = arrival
    const transfer = content?.pieces.map(({ buffer }) => buffer)
    return writer.request('record', [arrival], transfer)
  }
  const close = async () => {
    await writer.close()
    if (reader !== writer) await reader.close()
    unlock()
  }
  return { ...methods, epoch: writer.epoch, close, [Symbol.asyncDispose]: close } as unknown as Store
}
