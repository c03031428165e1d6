/**
 * Hands out deliveries: per script in order, per key never past one that has not ended.
 */

import { idempotencyKeyOf } from '../event-head.ts'
import { isAsLogged } from '../late-event.ts'
import { changeTypes, levelOfType } from '../numbers.ts'
import type { Lease, LeaseReport } from '../store.ts'
import { lastSeq } from './changes.ts'
import { eventOf, type SeriesFamilies } from './event.ts'
import { type FollowingScript, follow } from './follow.ts'
import { beat, beatLease, nextBeat } from './heartbeat.ts'
import { sinceFinished, sincePrevious } from './late.ts'
import { reclaimExpired } from './reclaim.ts'
import { pausedAll } from './scripts.ts'
import type { Session } from './session.ts'
import { endWaits, isItsTurn } from './turn.ts'

export function lease(
  session: Session,
  wanted: Readonly<Record<string, number>>,
  ttlMs: number,
): LeaseReport {
  reclaimExpired(session)
  endWaits(session)
  if (pausedAll(session) !== null) return { leases: [], more: false, nextRetryInMs: null }
  const end = lastSeq(session)
  const leases: Lease[] = []
  let more = false
  for (const [name, count] of Object.entries(wanted)) {
    const script = session
      .sql(
        `select id, name, cursor, subscriptions, replay, replay_until, beat_every_ms, beat_at from script
         where name = ? and state = 'active' and paused_at is null`,
      )
      .get(name) as FollowingScript | undefined
    if (script === undefined) continue
    beat(session, script)
    let ready = readyOf(session, script, count)
    // Deliveries are made only when those that exist do not suffice, so that a backlog stays in the log.
    if (ready.length < count && script.cursor < end) {
      if (follow(session, script) < end) more = true
      ready = readyOf(session, script, count)
    }
    leases.push(...handOut(session, script, ready, ttlMs))
  }
  return { leases, more, nextRetryInMs: nextDue(session, Object.keys(wanted)) }
}

export function renew(
  session: Session,
  leases: readonly Pick<Lease, 'delivery' | 'fence'>[],
  ttlMs: number,
): boolean[] {
  const statement = session.sql(
    'update delivery set lease_until = ? where id = ? and fence = ? and state = 1',
  )
  return leases.map(
    ({ delivery, fence }) => statement.run(session.nowMs + ttlMs, delivery, fence).changes === 1,
  )
}

interface DeliveryRow {
  id: number
  callback: string
  seq: number
  key: string
  attempt: number
  replay: number
  version: string | null
  fence: number
  run_at: number
  /** Of the change, if it is told of one. */
  type: number | null
  resource: number
  public_id: string
  at: number
  origin: number | null
  event: string | null
  /** It tells of something as it was, whatever the log says. */
  has_own_event: number
  revision: number | null
  newest_instance: number | null
}

// `+` before a parameter: without it SQLite plans the statement anew at each call, since which partial index
// serves could depend on the value.
function readyOf(session: Session, script: FollowingScript, count: number): DeliveryRow[] {
  return session
    .sql(
      `select d.id, d.callback, d.seq, d.key, d.attempt, d.replay, d.version, d.fence, c.type, c.resource, c.public_id,
         c.at, c.origin, coalesce(d.event, c.event) as event, d.event is not null as has_own_event, c.revision,
         c.newest_instance, d.run_at
       from delivery d left join change c on c.seq = d.seq
       where d.script = +@script and d.state = 0 and ${isItsTurn}
       order by d.id limit +@count`,
    )
    .all({ script: script.id, count }) as DeliveryRow[]
}

function handOut(
  session: Session,
  script: FollowingScript,
  rows: readonly DeliveryRow[],
  ttlMs: number,
): Lease[] {
  const take = session.sql(
    'update delivery set state = 1, attempt = attempt + 1, fence = fence + 1, lease_until = ? where id = ?',
  )
  const families: SeriesFamilies = new Map()
  return rows.filter(oneRevisionAtATime()).map((row) => {
    take.run(session.nowMs + ttlMs, row.id)
    return leaseOf(session, script, row, families)
  })
}

/**
 * What a revision tells depends on how the one before it ended, so it is not handed out beside that, nor is what comes
 * after it.
 */
function oneRevisionAtATime(): (row: DeliveryRow) => boolean {
  const told = new Set<string>()
  const held = new Set<string>()
  return ({ callback, resource, revision, key }) => {
    if (held.has(key)) return false
    if (revision === null) return true
    const name = `${callback} ${resource}`
    if (!told.has(name)) return told.add(name) !== undefined
    held.add(key)
    return false
  }
}

function leaseOf(
  session: Session,
  script: FollowingScript,
  row: DeliveryRow,
  families: SeriesFamilies,
): Lease {
  if (row.type === null) return beatLease(session, script, row)
  const type = changeTypes[row.type]!
  const attempt = row.attempt + 1
  const idempotencyKey = idempotencyKeyOf(session.epoch, { ...row, script: script.name })
  const fixed = eventOf(session, { ...row, type, attempt, idempotencyKey }, families)
  const { event, late } =
    fixed === null || row.revision === null
      ? { event: fixed, late: null }
      : row.replay > 0
        ? sincePrevious(session, { ...row, script: script.id, revision: row.revision }, fixed)
        : sinceFinished(session, { ...row, script: script.id, revision: row.revision }, fixed)
  return {
    delivery: row.id,
    fence: row.fence + 1,
    attempt,
    script: script.name,
    callback: row.callback,
    key: row.key,
    seq: row.seq,
    resource: { level: levelOfType(type), id: row.public_id },
    event,
    isAsLogged: row.has_own_event === 0 && row.replay === 0 && isAsLogged(event, fixed, row.revision),
    idempotencyKey,
    version: row.version,
    late,
    changedAtMs: row.at,
    leasedAtMs: session.nowMs,
  }
}

function nextDue(session: Session, names: readonly string[]): number | null {
  const first = (sql: string) => (session.sql(sql).get() as { at: number | null }).at
  const times = [
    first('select min(run_at) as at from delivery where state = 3'),
    // Of one that is held it is put off, again and again.
    first('select min(lease_until) + 1 as at from delivery where state = 1'),
    nextBeat(session, names),
  ].filter((at) => at !== null)
  return times.length === 0 ? null : Math.max(0, Math.min(...times) - session.nowMs)
}
