/**
 * Executes operations: all that came in together, in one transaction. One that fails takes nothing with it.
 */
import type { ThreadReply, ThreadRequest } from '../../lib/thread-port.ts'
import { type OperationName, operations } from './operations.ts'
import { refusal } from './refusal.ts'
import { eachInSavepoint, undo } from './savepoint.ts'
import { keepNumber, type Session } from './session.ts'

export interface Operation {
  readonly name: OperationName
  readonly parameters: readonly unknown[]
}

type Request = ThreadRequest<Operation>

/** Runs requests in their order and commits once. Never throws. */
export function executeWrites(session: Session, requests: readonly Request[]): ThreadReply[] {
  const { database } = session
  try {
    const wantsSync = requests.some(({ body: { name, parameters } }) => operations[name].durable(parameters))
    session.setDurable(wantsSync)
    session.sql('begin immediate').run()
    session.nowMs = session.clock.now()
    const replies = eachInSavepoint(session, requests, runAll(session), refuse)
    keepNumber(session.sql, 'clock', session.nowMs)
    for (const point of pointsBeforeCommit(replies, requests)) session.reach(point)
    session.sql('commit').run()
    session.onRollback.length = 0
    for (const point of pointsAfterCommit(replies, requests)) session.reach(point)
    return replies
  } catch (cause) {
    if (database.inTransaction) database.exec('rollback')
    undo(session, 0)
    const error = refusal(cause)
    return requests.map(({ id }) => ({ id, ok: false, error }))
  }
}

/** Runs one reading request. Never throws. */
export function executeRead(session: Session, { id, body }: Request): ThreadReply {
  try {
    session.nowMs = session.clock.now()
    return { id, ok: true, value: operations[body.name].run(session, body.parameters) }
  } catch (cause) {
    return { id, ok: false, error: refusal(cause) }
  }
}

const runAll =
  (session: Session) =>
  (requests: readonly Request[]): ThreadReply[] =>
    requests.map(({ id, body: { name, parameters } }) => ({
      id,
      ok: true,
      value: operations[name].run(session, parameters),
    }))

function refuse({ id }: Request, cause: unknown, undoFiles: () => void): ThreadReply {
  undoFiles()
  return { id, ok: false, error: refusal(cause) }
}

const before = {
  recordAll: 'rows-written',
  tick: 'window-fired',
  lease: 'deliveries-made',
  settle: 'settle-written',
} as const
const after = {
  recordAll: 'rows-committed',
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
    if (name === 'settleAll') return (reply.value as boolean[]).map(() => 'settle')
    return [name]
  })
}
