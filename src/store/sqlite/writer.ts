/**
 * Executes operations: all that came in together, in one transaction. Each has a savepoint of its own, so
 * that one that fails takes nothing with it.
 */
import { fault, isSystemError, messageOf, OnStableError } from '../../errors.ts'
import type { ThreadReply, ThreadRequest } from '../../lib/thread-port.ts'
import { type WireError, wireError } from '../../lib/wire-error.ts'
import { type OperationName, operations } from './operations.ts'
import { type Clock, keepNumber, type Session } from './session.ts'

export interface Operation {
  readonly name: OperationName
  readonly parameters: readonly unknown[]
}

type Request = ThreadRequest<Operation>

/** Runs requests in their order and commits once. Never throws. */
export function executeWrites(session: Session, clock: Clock, requests: readonly Request[]): ThreadReply[] {
  const { database } = session
  try {
    const wantsSync = requests.some(({ body: { name, parameters } }) => operations[name].durable(parameters))
    session.setDurable(wantsSync || session.hasFailed || session.journal?.isUsable === false)
    session.sql('begin immediate').run()
    session.nowMs = clock()
    const replies = requests.map((request) => executeInSavepoint(session, request))
    keepNumber(session.sql, 'clock', session.nowMs)
    for (const point of pointsBeforeCommit(replies, requests)) session.reach(point)
    journalGroup(session)
    session.sql('commit').run()
    session.hasFailed = false
    session.onRollback.length = 0
    for (const act of session.afterCommit.splice(0)) act()
    for (const point of pointsAfterCommit(replies, requests)) session.reach(point)
    return replies
  } catch (cause) {
    if (database.inTransaction) database.exec('rollback')
    session.hasFailed = true
    session.journal?.dropGroup()
    session.afterCommit.length = 0
    undo(session, 0)
    const error = refusal(cause)
    return requests.map(({ id }) => ({ id, ok: false, error }))
  }
}

function undo({ onRollback }: Session, from: number): void {
  for (const act of onRollback.splice(from)) {
    try {
      act()
    } catch {
      // A file that stays is one without a row, which the next start removes.
    }
  }
}

/** Before anybody can see the rows of these arrivals, what brings them back after a power cut is on the disk. */
function journalGroup({ journal, sql, reach, hasFailed }: Session): void {
  if (journal === null) return
  const number = journal.numberOfGroup
  // What the journal has of a transaction that failed then is not to come back: it counts as known from now on.
  if (number !== null || hasFailed) keepNumber(sql, 'journal', number ?? journal.lastNumber)
  if (number === null) return
  journal.writeGroup(() => reach('journal-written'))
  reach('journal-synced')
}

/** Runs one reading request. Never throws. */
export function executeRead(session: Session, clock: Clock, { id, body }: Request): ThreadReply {
  try {
    session.nowMs = clock()
    return { id, ok: true, value: operations[body.name].run(session, body.parameters) }
  } catch (cause) {
    return { id, ok: false, error: refusal(cause) }
  }
}

function executeInSavepoint(session: Session, { id, body }: Request): ThreadReply {
  session.sql('savepoint operation').run()
  const undoneFrom = session.onRollback.length
  try {
    const value = operations[body.name].run(session, body.parameters)
    session.sql('release operation').run()
    return { id, ok: true, value }
  } catch (cause) {
    // A full disk may have ended the whole transaction already.
    if (!session.database.inTransaction) throw cause
    session.sql('rollback to operation').run()
    session.sql('release operation').run()
    undo(session, undoneFrom)
    return { id, ok: false, error: refusal(cause) }
  }
}

const before = {
  record: 'rows-written',
  tick: 'window-fired',
  lease: 'deliveries-made',
  settle: 'settle-written',
} as const
const after = {
  record: 'rows-committed',
  tick: 'tick-committed',
  lease: 'delivery-leased',
  settle: 'settled',
  remove: 'rows-removed',
} as const

function pointsBeforeCommit(replies: readonly ThreadReply[], requests: readonly Request[]) {
  return effective(replies, requests).flatMap((name) =>
    name in before ? [before[name as keyof typeof before]] : [],
  )
}

function pointsAfterCommit(replies: readonly ThreadReply[], requests: readonly Request[]) {
  return effective(replies, requests).flatMap((name) =>
    name in after ? [after[name as keyof typeof after]] : [],
  )
}

/** The operations that changed something: an idle tick or an empty lease passes no crash point. */
function effective(replies: readonly ThreadReply[], requests: readonly Request[]): OperationName[] {
  return requests.flatMap(({ body: { name } }, index) => {
    const reply = replies[index]
    if (reply?.ok !== true) return []
    if (name === 'tick' && (reply.value as { fired: number }).fired === 0) return []
    if (name === 'lease' && (reply.value as { leases: unknown[] }).leases.length === 0) return []
    return [name]
  })
}

/** What the caller is told: a full disk is his to free, everything else is the database's own fault. */
function refusal(cause: unknown): WireError {
  if (cause instanceof OnStableError) return wireError(cause)
  if (isSystemError(cause, 'SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC', 'ENOSPC', 'EDQUOT')) {
    const message = `The database cannot be written: ${messageOf(cause)}; free some space`
    return wireError(fault('storage-full', message, { cause }))
  }
  return wireError(fault('internal', `The database refused an operation: ${messageOf(cause)}`, { cause }))
}
