/**
 * The store on SQLite: one file in the data folder, with a thread that writes and a thread that reads, so
 * that neither the disk nor a long listing ever stops the engine's event loop; beside it the journal, which is
 * written in the threads of node:fs.
 */
import { join } from 'node:path'
import { fault } from '../../errors.ts'
import { crashPointReacher } from '../../lib/crash-point.ts'
import type { Store, TickReport } from '../store.ts'
import { persistentClock } from './clock.ts'
import { type Connection, connectHere, connectThread } from './connection.ts'
import { HeldInstances } from './held-instances.ts'
import type { Journal } from './journal/journal.ts'
import { openJournal } from './journal/open.ts'
import { KeptBytes } from './kept-bytes.ts'
import { lockFolder } from './lock.ts'
import { needsLatest, type OperationName, operations } from './operations.ts'
import { type OnBlocked, Recording } from './recording.ts'

export interface SqliteOptions {
  /** An existing folder. */
  readonly folder: string
  readonly onBlocked?: OnBlocked
  /** Name of a crash point; only in tests. */
  readonly crashAt?: string | null
  /** Runs everything in this thread on this clock (milliseconds); only in tests. */
  readonly clock?: (() => number) | null
  /** Size of the journal's segments; smaller than usual only in tests. */
  readonly segmentBytes?: number
}

/** How soon to look again whether rows that are owed can be written. */
const blockedMs = 1_000

interface Parts {
  readonly writer: Connection
  readonly reader: Connection
  readonly journal: Journal
  readonly onBlocked: OnBlocked
  /** Milliseconds, of the store's clock. */
  readonly now: () => number
  unlock(): void
}

/**
 * Opens the database, creating it if there is none. One process at a time can have it open.
 * @throws `data-folder`, `newer-database`
 */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const { folder, onBlocked = () => {}, crashAt = null, clock = null, segmentBytes } = options
  const unlock = lockFolder(folder)
  try {
    const file = join(folder, 'index.sqlite')
    const write = { file, readonly: false, crashAt }
    const writer = clock === null ? await connectThread(write) : connectHere(write, clock)
    const reader = clock === null ? await connectThread({ ...write, readonly: true }) : writer
    const { knownNumber, settledNumber, latestMs } = writer.greeting
    const shown = persistentClock(latestMs)
    const journal = openJournal({
      folder: join(folder, 'journal'),
      settledNumber,
      usedNumber: knownNumber,
      segmentBytes,
      clock: clock ?? shown.now,
      reach: crashPointReacher(crashAt),
    })
    shown.showAtLeast(journal.foundMs)
    await writer.request('reclaimLeases', [])
    return storeOn({ writer, reader, journal, onBlocked, now: clock ?? shown.now, unlock })
  } catch (error) {
    unlock()
    throw error
  }
}

function storeOn({ writer, reader, journal, onBlocked, now, unlock }: Parts): Store {
  const held = new HeldInstances(reader)
  const recording = new Recording({ journal, database: writer, onBlocked, held })
  const kept = new KeptBytes(journal, writer, writer.greeting.knownNumber)
  const methods: Record<string, unknown> = {}
  for (const name of Object.keys(operations) as OperationName[]) {
    const connection = operations[name].writes ? writer : reader
    methods[name] = needsLatest(name)
      ? async (...parameters: unknown[]) => {
          await recording.caughtUp()
          return connection.request(name, parameters)
        }
      : (...parameters: unknown[]) => {
          if (name === 'lease') recording.hurry()
          return connection.request(name, parameters)
        }
  }
  const close = async () => {
    await recording.close()
    await journal.close()
    await writer.close()
    if (reader !== writer) await reader.close()
    unlock()
  }
  const own: Partial<Store> = {
    epoch: writer.greeting.epoch,
    keepsBytes: true,
    cluster: null,
    accept: (arrival, until) => recording.accept(arrival, until),
    record: (arrival) => recording.record(arrival),
    async holds(ids) {
      if (!ids.some((id) => held.mayHave(id))) return new Map()
      await recording.demandCaughtUp()
      return (await reader.request('holds', [ids])) as Map<string, string>
    },
    async tick() {
      // What is accepted while rows are waited for is not among them.
      const asOfMs = now()
      await recording.caughtUp()
      // Rows that are owed are not seen: whether something is quiet is not known.
      if (recording.isBlocked) return { fired: 0, nextCheckInMs: blockedMs }
      return (await writer.request('tick', [asOfMs])) as TickReport
    },
    unsyncedFiles: (all) => kept.unsyncedFiles(all),
    unsyncedBytes: async (batch, number) => kept.unsyncedBytes(batch, number),
    async forgetBytes(batch) {
      await recording.caughtUp()
      if (!recording.isDone(batch))
        throw fault('storage-full', 'The rows of some instances cannot be written yet; free some space')
      await kept.forgetBytes(batch)
    },
    keptFiles: (number) => kept.keptFiles(number),
    restoreRows: (isThere) => kept.restoreRows(isThere),
    close,
    [Symbol.asyncDispose]: close,
  }
  return { ...methods, ...own } as Store
}
