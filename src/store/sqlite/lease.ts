/**
 * Turns changes into deliveries, in the order of the log, and hands them out: per script in order, per key
 * never past one that has not ended.
 */
import type { Lease, LeaseReport, Subscription } from '../store.ts'
import { lastSeq } from './changes.ts'
import { eventOf, type SeriesFamilies } from './event.ts'
import { changeTypes, levelOfType } from './rows.ts'
import type { Session } from './session.ts'

/** Changes looked at for one script in one transaction. */
const followLimit = 1_000

export const deliveryState = { ready: 0, leased: 1, dead: 2 } as const

interface ScriptRow {
  id: number
  name: string
  cursor: number
  subscriptions: string
}

export function lease(
  session: Session,
  wanted: Readonly<Record<string, number>>,
  ttlMs: number,
): LeaseReport {
  reclaimExpired(session)
  const end = lastSeq(session)
  const leases: Lease[] = []
  let more = false
  for (const [name, count] of Object.entries(wanted)) {
    const script = session
      .sql(`select id, name, cursor, subscriptions from script where name = ? and state = 'active'`)
      .get(name) as ScriptRow | undefined
    if (script === undefined) continue
    let handed = handOut(session, script, count, ttlMs)
    // Deliveries are made only when those that exist do not suffice, so that a backlog stays in the log.
    if (handed.length < count && script.cursor < end) {
      const cursor = follow(session, script)
      handed = handed.concat(handOut(session, script, count - handed.length, ttlMs))
      if (cursor < end) more = true
    }
    leases.push(...handed)
  }
  return { leases, more, nextRetryInMs: nextRetry(session) }
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

/**
 * At opening: nobody else can hold a lease, the process that did is gone. Of a script's deliveries only the
 * first can have been run; the others get back the attempt that they were leased for.
 */
export function reclaimLeases(session: Session): void {
  session
    .sql(
      `update delivery set attempt = attempt - 1 where state = 1 and id > (
         select min(e.id) from delivery e where e.script = delivery.script and e.state = 1)`,
    )
    .run()
  session.sql('update delivery set state = 0, lease_until = null where state = 1').run()
}

function reclaimExpired(session: Session): void {
  session
    .sql('update delivery set state = 0, lease_until = null where state = 1 and lease_until < ?')
    .run(session.nowMs)
}

/** Makes the deliveries of the next changes and moves the cursor past them. Returns the cursor. */
function follow(session: Session, script: ScriptRow): number {
  const rows = session
    .sql('select seq, type, key from change where seq > ? order by seq limit +?')
    .all(script.cursor, followLimit) as { seq: number; type: number; key: string }[]
  const subscriptions = JSON.parse(script.subscriptions) as Subscription[]
  const insert = session.sql(
    'insert into delivery (script, callback, seq, key, state, run_at) values (?, ?, ?, ?, 0, ?)',
  )
  for (const { seq, type, key } of rows) {
    for (const subscription of subscriptions) {
      if (subscription.type === changeTypes[type])
        insert.run(script.id, subscription.callback, seq, key, session.nowMs)
    }
  }
  const cursor = rows.at(-1)?.seq ?? script.cursor
  session.sql('update script set cursor = ? where id = ?').run(cursor, script.id)
  return cursor
}

interface DeliveryRow {
  id: number
  callback: string
  seq: number
  key: string
  attempt: number
  fence: number
  type: number
  resource: number
  public_id: string
  at: number
  origin: number | null
  event: string | null
}

// `+` before a parameter: without it SQLite plans the statement anew at each call, since which partial index
// serves could depend on the value.
function handOut(session: Session, script: ScriptRow, count: number, ttlMs: number): Lease[] {
  if (count <= 0) return []
  const rows = session
    .sql(
      `select d.id, d.callback, d.seq, d.key, d.attempt, d.fence, c.type, c.resource, c.public_id, c.at, c.origin, c.event
       from delivery d join change c on c.seq = d.seq
       where d.script = +@script and d.state = 0 and d.run_at <= @now and not exists (
         select 1 from delivery e where e.script = d.script and e.key = d.key and e.id < d.id
         and (e.state = 1 or (e.state = 0 and e.run_at > @now)))
       order by d.id limit @count`,
    )
    .all({ script: script.id, now: session.nowMs, count }) as DeliveryRow[]
  const take = session.sql(
    'update delivery set state = 1, attempt = attempt + 1, fence = fence + 1, lease_until = ? where id = ?',
  )
  const families: SeriesFamilies = new Map()
  return rows.map((row) => {
    take.run(session.nowMs + ttlMs, row.id)
    return leaseOf(session, script.name, row, families)
  })
}

function leaseOf(session: Session, script: string, row: DeliveryRow, families: SeriesFamilies): Lease {
  const type = changeTypes[row.type]!
  const attempt = row.attempt + 1
  const idempotencyKey = `${session.epoch}-${row.seq}:${script}:${row.callback}`
  return {
    delivery: row.id,
    fence: row.fence + 1,
    attempt,
    script,
    callback: row.callback,
    key: row.key,
    seq: row.seq,
    resource: { level: levelOfType(type), id: row.public_id },
    event: eventOf(session, { ...row, type, attempt, idempotencyKey }, families),
    idempotencyKey,
    changedAtMs: row.at,
    leasedAtMs: session.nowMs,
  }
}

function nextRetry(session: Session): number | null {
  const row = session
    .sql('select min(run_at) as at from delivery where state = 0 and attempt > 0 and run_at > ?')
    .get(session.nowMs) as { at: number | null }
  return row.at === null ? null : Math.max(0, row.at - session.nowMs)
}
