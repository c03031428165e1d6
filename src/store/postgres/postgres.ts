/**
 * The store on PostgreSQL: one database for many nodes. Every operation is one statement, a function that runs on the
 * server, so a node that stops in the middle of anything holds up nobody.
 */
import type { Store } from '../store.ts'
import { Connections } from './connections.ts'
import {
  backlog,
  deliveries,
  delivery,
  dropDead,
  dropDelivery,
  retryDead,
  retryDelivery,
} from './deliveries.ts'
import { install } from './install.ts'
import { lease, renew, settleAll } from './leases.ts'
import { changes, hideChanges } from './log.ts'
import { Recording } from './recording.ts'
import {
  addedInstances,
  find,
  findAll,
  forgetTrash,
  holds,
  list,
  orphans,
  related,
  remove,
  statistics,
  trash,
} from './resources.ts'
import { retireChanges, retireRuns, runsBytes, stragglers } from './retention.ts'
import { replayRange, replayRuns, replaySince, run, runIds, runs } from './runs.ts'
import {
  keyValue,
  keyValueBytes,
  keyValueList,
  parkScript,
  pause,
  pausedAll,
  putScript,
  resumeScript,
  scripts,
  scriptVersion,
  suspendScript,
  unpause,
} from './scripts.ts'
import type { Session } from './session.ts'
import { forceStable, markUnstable, tick, windows } from './windows.ts'

export interface PostgresOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string
  /** The name of this process; what was leased under it before is not any more. */
  readonly node: string
  /** Of the tables. Default: onstable */
  readonly schema?: string
  /** Milliseconds; only in tests. */
  readonly clock?: (() => number) | null
}

/** What is asked as it is, of a session. */
const operations = {
  tick,
  forceStable,
  markUnstable,
  windows,
  changes,
  hideChanges,
  find,
  list,
  related,
  addedInstances,
  findAll,
  holds,
  remove,
  statistics,
  trash,
  forgetTrash,
  orphans,
  scripts,
  putScript,
  scriptVersion,
  parkScript,
  suspendScript,
  resumeScript,
  pause,
  unpause,
  pausedAll,
  lease,
  renew,
  settleAll,
  backlog,
  deliveries,
  delivery,
  retryDelivery,
  retryDead,
  dropDelivery,
  dropDead,
  runs,
  runIds,
  run,
  replayRuns,
  replayRange,
  replaySince,
  stragglers,
  retireChanges,
  runsBytes,
  retireRuns,
  keyValue,
  keyValueBytes,
  keyValueList,
}

type Operation<Run> = Run extends (session: Session, ...parameters: infer Parameters) => infer Result
  ? (...parameters: Parameters) => Result
  : never

type Operations = { readonly [Name in keyof typeof operations]: Operation<(typeof operations)[Name]> }

function operationsOn(session: Session): Operations {
  const bound = Object.entries(operations).map(([name, run]) => [
    name,
    (...parameters: unknown[]) => (run as (...all: unknown[]) => unknown)(session, ...parameters),
  ])
  return Object.fromEntries(bound) as Operations
}

/**
 * Opens the database, and makes the tables if there are none.
 * @throws `newer-database`
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, node, schema = 'onstable', clock = null } = options
  const { epoch, schemas } = await install(url, schema)
  const connections = new Connections({ url, schemas })
  const session: Session = { connections, epoch, node, nowMs: () => clock?.() ?? null }
  await connections.value('reclaim_leases_of', session.nowMs(), node)
  const recording = new Recording(session)
  const record: Store['record'] = async (arrival) => ({
    status: await recording.record(arrival),
    unsyncedBatches: 0,
  })
  const close = async () => {
    await recording.close()
    await connections.close()
  }
  return {
    epoch,
    ...operationsOn(session),
    record,
    async accept(arrival) {
      const recorded = await record(arrival)
      return { recorded: Promise.resolve(recorded) }
    },
    settle: async (settlement) => (await settleAll(session, [settlement]))[0]!,
    // Files are synced before they are recorded: none is kept here.
    unsyncedFiles: async () => null,
    unsyncedBytes: async () => [],
    forgetBytes: async () => {},
    keptFiles: async () => [],
    restoreRows: async () => [],
    close,
    [Symbol.asyncDispose]: close,
  }
}
