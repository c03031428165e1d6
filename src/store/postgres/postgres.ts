/**
 * The store on PostgreSQL: one database for many nodes. Every operation is one statement, a function that runs on the
 * server, so a node that stops in the middle of anything holds up nobody.
 */

import { fault } from '../../errors.ts'
import { oneAtATime } from '../../lib/one-at-a-time.ts'
import { packageVersion } from '../../lib/version.ts'
import type { Settlement, Store } from '../store.ts'
import {
  advanceRelay,
  changesAfter,
  command,
  observeAnnouncements,
  relay,
  releaseRelay,
  rewindRelay,
  takeRelay,
} from './broker.ts'
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
import { clusterOn } from './nodes.ts'
import { Presence } from './presence.ts'
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
import { logSize, retireChanges, retireRuns, runsSize, stragglers } from './retention.ts'
import { replayRange, replayRuns, replaySince, run, runs, runsToReplay } from './runs.ts'
import {
  forgetScript,
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
  /** postgres://user:password@host:port/database, with `?schema=` for tables of another name than `onstable` */
  readonly url: string
  /** The name of this process; what was leased under it before is not any more. */
  readonly node: string
  /** Another server has taken the name of this one while its connection was lost. */
  readonly onTaken?: () => void
  /** Milliseconds; only in tests. */
  readonly clock?: (() => number) | null
}

/** What is asked as it is, of a session. */
const operations = {
  tick,
  forceStable,
  markUnstable,
  windows,
  observeAnnouncements,
  command,
  takeRelay,
  advanceRelay,
  releaseRelay,
  rewindRelay,
  relay,
  changesAfter,
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
  forgetScript,
  suspendScript,
  resumeScript,
  pause,
  unpause,
  pausedAll,
  renew,
  backlog,
  deliveries,
  delivery,
  retryDelivery,
  retryDead,
  dropDelivery,
  dropDead,
  runs,
  runsToReplay,
  run,
  replayRuns,
  replayRange,
  replaySince,
  stragglers,
  retireChanges,
  runsSize,
  logSize,
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
  const { node, clock = null, onTaken = () => {} } = options
  const { url, schema } = addressOf(options.url)
  const { epoch, schemas } = await install(url, schema)
  const connections = new Connections({ url, schemas, name: node })
  const session: Session = { connections, epoch, node, nowMs: () => clock?.() ?? null }
  await using opening = new AsyncDisposableStack()
  opening.defer(() => connections.close())
  const presence = await Presence.open({ url, schemas, name: node, epoch, onTaken })
  opening.defer(() => presence.close())
  await connections.value('begin_node', session.nowMs(), node, packageVersion())
  opening.move()
  const recording = new Recording(session)
  const record: Store['record'] = async (arrival) => ({
    status: await recording.record(arrival),
    unsyncedBatches: 0,
  })
  const close = async () => {
    await recording.close()
    // One that others do not see any more has only been silent.
    await connections.value('end_node', node).catch(() => {})
    await presence.close()
    await connections.close()
  }
  // In the order in which they are asked: what was settled frees what is leased next, and was run before it.
  const inTurn = oneAtATime()
  const settleInTurn = (settlements: readonly Settlement[]) =>
    inTurn('deliveries', () => settleAll(session, settlements))
  return {
    epoch,
    keepsBytes: false,
    cluster: clusterOn(session, presence),
    ...operationsOn(session),
    record,
    async accept(arrival) {
      const recorded = await record(arrival)
      return { isOwed: false, recorded: Promise.resolve(recorded) }
    },
    lease: (wanted, ttlMs) => inTurn('deliveries', () => lease(session, wanted, ttlMs)),
    settle: async (settlement) => (await settleInTurn([settlement]))[0]!,
    settleAll: settleInTurn,
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

/** Another program could not make sense of our parameter. */
function addressOf(given: string): { url: string; schema: string } {
  const url = new URL(given)
  const schema = url.searchParams.get('schema') ?? 'onstable'
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) {
    throw fault(
      'bad-setting',
      `Setting "store": "${schema}" is no name of a schema: expected up to 40 lower-case letters, digits and "_"`,
    )
  }
  url.searchParams.delete('schema')
  return { url: url.href, schema }
}
