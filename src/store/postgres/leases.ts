/** Leases: what the database hands out, put together as it is told. */
import { setTimeout as wait } from 'node:timers/promises'
import { isAway } from '../../errors.ts'
import { eventHead, heartbeatKeyOf, idempotencyKeyOf } from '../event-head.ts'
import { isoTime, jsonJoined } from '../json-parts.ts'
import { isAsLogged, type SinceFacts, toldAsItWas, toldSince } from '../late-event.ts'
import { changeTypes, levelOfType } from '../numbers.ts'
import type { Late, Lease, LeaseReport, Settlement } from '../store.ts'
import type { Session } from './session.ts'

/** How soon a settlement is tried again, and until when: no lease lasts longer. */
const againMs = 500
const mostTryingMs = 30_000

interface LeasedRow {
  readonly delivery: number
  readonly fence: number
  readonly attempt: number
  readonly script: string
  readonly callback: string
  readonly key: string
  readonly seq: number
  readonly replay: number
  readonly version: string | null
  readonly run_at: number
  /** Of the change; null for a heartbeat. */
  readonly type: number | null
  readonly public_id: string | null
  readonly revision: number | null
  readonly facts: string | null
  readonly changed_at: number | null
  readonly leased_at: number
  readonly since: {
    readonly since_revision: number
    readonly added_after: number
    readonly added_up_to: number
    readonly added: string | null
    readonly removed: string | null
  } | null
  /** It tells of something as it was, whatever the log says. */
  readonly has_own_event: boolean
}

export async function lease(
  session: Session,
  wanted: Readonly<Record<string, number>>,
  ttlMs: number,
): Promise<LeaseReport> {
  const [report] = await session.connections.rows<{
    leases: readonly LeasedRow[]
    more: boolean
    next_retry_in_ms: number | null
  }>('select * from lease($1, $2, $3, $4)', [session.nowMs(), JSON.stringify(wanted), ttlMs, session.node])
  const { leases, more, next_retry_in_ms } = report!
  return { leases: leases.map((row) => leaseOf(session, row)), more, nextRetryInMs: next_retry_in_ms }
}

export function renew(
  { connections, nowMs }: Session,
  leases: readonly Pick<Lease, 'delivery' | 'fence'>[],
  ttlMs: number,
): Promise<boolean[]> {
  const deliveries = leases.map(({ delivery }) => delivery)
  return connections.value(
    'renew',
    nowMs(),
    deliveries,
    leases.map(({ fence }) => fence),
    ttlMs,
  )
}

/**
 * What a script remembers is there before its next run, also after a power cut; all else may run again then. While the
 * database does not answer it is tried again: what ran has run, and would be run anew.
 */
export async function settleAll(
  { connections, nowMs }: Session,
  settlements: readonly Settlement[],
): Promise<boolean[]> {
  const isSynced = settlements.some(({ keyValueWrites }) => keyValueWrites.length > 0)
  const text = JSON.stringify(settlements)
  for (const until = performance.now() + mostTryingMs; ; ) {
    try {
      return await connections.value('settle_all', nowMs(), text, isSynced)
    } catch (error) {
      if (!isAway(error) || performance.now() > until) throw error
      await wait(againMs)
    }
  }
}

function leaseOf(session: Session, row: LeasedRow): Lease {
  const { delivery, fence, attempt, script, callback, key, seq, version } = row
  const shared = { delivery, fence, attempt, script, callback, key, seq, version, leasedAtMs: row.leased_at }
  if (row.type === null) {
    const idempotencyKey = heartbeatKeyOf(session.epoch, script, delivery)
    const head = JSON.stringify({ at: isoTime(row.leased_at), attempt, idempotencyKey })
    const event = jsonJoined(head, row.facts!)
    const changedAtMs = row.run_at
    return { ...shared, resource: null, event, isAsLogged: false, idempotencyKey, late: null, changedAtMs }
  }
  const type = changeTypes[row.type]!
  const idempotencyKey = idempotencyKeyOf(session.epoch, row)
  const at = row.changed_at!
  const head = eventHead({ seq, type, at, attempt, idempotencyKey })
  const fixed = row.facts === null ? null : jsonJoined(head, row.facts)
  const { event, late } = told(row, fixed)
  const isTheSame = !row.has_own_event && row.replay === 0 && isAsLogged(event, fixed, row.revision)
  const resource = { level: levelOfType(type), id: row.public_id! }
  return { ...shared, resource, event, isAsLogged: isTheSame, idempotencyKey, late, changedAtMs: at }
}

function told(
  { revision, since }: LeasedRow,
  event: string | null,
): { event: string | null; late: Late | null } {
  if (event === null || revision === null) return { event, late: null }
  if (since === null) return toldAsItWas(event, revision)
  const known: SinceFacts = {
    sinceRevision: since.since_revision,
    addedAfter: since.added_after,
    addedUpTo: since.added_up_to,
    added: since.added,
    removed: since.removed,
  }
  return toldSince(event, revision, known)
}
