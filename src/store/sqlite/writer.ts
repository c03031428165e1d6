/**
 * Executes operations: all that came in together, in one transaction. Each has a savepoint of its own, so
 * that one that fails takes nothing with it.
 */
import { fault, isSystemError, messageOf, OnStableError } from '../../errors.ts'
import { type OperationName, operations } from './operations.ts'
import type { Clock, Session } from './session.ts'

export interface Request {
  readonly id: number
  readonly name: OperationName
  readonly parameters: readonly unknown[]
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: unknown }

/** Runs requests in their order and commits once. Never throws. */
export function executeWrites(session: Session, clock: Clock, requests: readonly Request[]): Reply[] {
  const { database } = session
  try {
    const durable = requests.some(({ name, parameters }) => operations[name].durable(parameters))
    database.pragma(`synchronous = ${durable ? 'full' : 'normal'}`)
    session.sql('begin immediate').run()
    session.nowMs = clock()
    const replies = requests.map((request) => executeInSavepoint(session, request))
    session.sql(`insert or replace into meta values ('clock', ?)`).run(session.nowMs)
    for (const point of pointsBeforeCommit(replies, requests)) session.reach(point)
    session.sql('commit').run()
    for (const point of pointsAfterCommit(replies, requests)) session.reach(point)
    return replies
  } catch (cause) {
    if (database.inTransaction) database.exec('rollback')
    const error = wireError(cause)
    return requests.map(({ id }) => ({ id, ok: false, error }))
  }
}

/** Runs one reading request. Never throws. */
export function executeRead(session: Session, clock: Clock, request: Request): Reply {
  try {
    session.nowMs = clock()
    return { id: request.id, ok: true, value: operations[request.name].run(session, request.parameters) }
  } catch (cause) {
    return { id: request.id, ok: false, error: wireError(cause) }
  }
}

function executeInSavepoint(session: Session, request: Request): Reply {
  session.sql('savepoint operation').run()
  try {
    const value = operations[request.name].run(session, request.parameters)
    session.sql('release operation').run()
    return { id: request.id, ok: true, value }
  } catch (cause) {
    // A full disk may have ended the whole transaction already.
    if (!session.database.inTransaction) throw cause
    session.sql('rollback to operation').run()
    session.sql('release operation').run()
    return { id: request.id, ok: false, error: wireError(cause) }
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

function pointsBeforeCommit(replies: readonly Reply[], requests: readonly Request[]) {
  return effective(replies, requests).flatMap((name) =>
    name in before ? [before[name as keyof typeof before]] : [],
  )
}

function pointsAfterCommit(replies: readonly Reply[], requests: readonly Request[]) {
  return effective(replies, requests).flatMap((name) =>
    name in after ? [after[name as keyof typeof after]] : [],
  )
}

/** The operations that changed something: an idle tick or an empty lease passes no crash point. */
function effective(replies: readonly Reply[], requests: readonly Request[]): OperationName[] {
  return requests.flatMap(({ name }, index) => {
    const reply = replies[index]
    if (reply?.ok !== true) return []
    if (name === 'tick' && (reply.value as { fired: number }).fired === 0) return []
    if (name === 'lease' && (reply.value as { leases: unknown[] }).leases.length === 0) return []
    return [name]
  })
}

function wireError(cause: unknown): unknown {
  if (cause instanceof OnStableError) return { code: cause.code, message: cause.message }
  if (isSystemError(cause, 'SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC')) {
    return {
      code: 'storage-full',
      message: `The database cannot be written: ${messageOf(cause)}; free some space`,
    }
  }
  return {
    code: 'internal',
    message: `The database refused an operation: ${messageOf(cause)}`,
    stack: String((cause as Error)?.stack),
  }
}

/** Rebuilds what `wireError` flattened. */
export function errorOf(wire: unknown): OnStableError {
  const { code, message, stack } = wire as { code: 'internal'; message: string; stack?: string }
  return fault(code, message, stack === undefined ? {} : { cause: stack })
}
