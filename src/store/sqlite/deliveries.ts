/**
 * What is owed to scripts: looked at, tried again by hand, dropped.
 */

import { type DeliveryRow, deliverySummary } from '../delivery-rows.ts'
import type { Backlog, DeliveriesQuery, DeliverySummary } from '../store.ts'
import { lastSeq } from './changes.ts'
import { eventOfChange } from './runs.ts'
import { pausedAll } from './scripts.ts'
import type { Session } from './session.ts'
import { stateByTurn } from './turn.ts'

const rows = `select d.*, s.name as script, s.state as script_state, s.paused_at, c.type, c.public_id,
    (select min(e.id) from delivery e where e.script = d.script and e.key = d.key and e.state <> 2 and e.id < d.id) as behind
  from delivery d join script s on s.id = d.script left join change c on c.seq = d.seq`

// Written out, since partial indexes are by these numbers.
const stateConditions = {
  waiting: 'd.state <> 2 and d.state in (0, 3, 4)',
  leased: 'd.state = 1',
  dead: 'd.state = 2',
} as const

export function deliveries(
  session: Session,
  { script, state, after, limit }: DeliveriesQuery,
): DeliverySummary[] {
  const conditions = ['d.id > @after']
  if (script !== undefined) conditions.push('s.name = @script')
  if (state !== undefined) conditions.push(stateConditions[state])
  const found = session
    .sql(`${rows} where ${conditions.join(' and ')} order by d.id limit @limit`)
    .all({ script: script ?? null, after: after ?? 0, limit }) as DeliveryRow[]
  const at = momentOf(session)
  return found.map((row) => deliverySummary(row, at))
}

export function delivery(
  session: Session,
  id: number,
): { summary: DeliverySummary; event: string | null } | null {
  const row = session.sql(`${rows} where d.id = ?`).get(id) as DeliveryRow | undefined
  if (row === undefined) return null
  const event = row.event ?? eventOfChange(session, row)
  return { summary: deliverySummary(row, momentOf(session)), event }
}

const momentOf = (session: Session) => ({ nowMs: session.nowMs, isAllPaused: pausedAll(session) !== null })

export function retryDelivery(session: Session, id: number): boolean {
  const waiting = session
    .sql(`update delivery set run_at = ?, state = ${stateByTurn} where id = ? and state = 3`)
    .run(session.nowMs, id)
  return waiting.changes === 1 || retryWhere(session, 'id = ?', id) === 1
}

export function retryDead(session: Session, script: string | null): number {
  if (script === null) return retryWhere(session, '+? is null', null)
  return retryWhere(session, 'script = (select id from script where name = ?)', script)
}

/** They count as new: with all their attempts, and in the place in their key that they had. */
function retryWhere(session: Session, which: string, value: number | string | null): number {
  const { changes } = session
    .sql(
      `update delivery set state = ${stateByTurn}, attempt = 0, fence = fence + 1, run_at = ?, ended_at = null
       where state = 2 and ${which}`,
    )
    .run(session.nowMs, value)
  return changes
}

export function dropDelivery(session: Session, id: number): boolean {
  return session.sql('delete from delivery where id = ? and state = 2').run(id).changes === 1
}

export function dropDead(session: Session, script: string | null): number {
  return session
    .sql(
      `delete from delivery where state = 2
         and (@script is null or script = (select id from script where name = @script))`,
    )
    .run({ script }).changes
}

export function backlog(session: Session): Backlog[] {
  const found = session
    .sql(
      `select s.name as script, s.cursor, s.subscriptions <> '[]' as is_told,
         (select count(*) from delivery d where d.script = s.id and d.state <> 2 and d.state <> 1) as waiting,
         (select count(*) from delivery d where d.script = s.id and d.state = 1) as leased,
         (select count(*) from delivery d where d.script = s.id and d.state = 2) as dead
       from script s order by s.name`,
    )
    .all() as (Omit<Backlog, 'behind'> & { cursor: number; is_told: number })[]
  const end = lastSeq(session)
  // One that is told of no changes has nothing to look for in the log.
  return found.map(({ cursor, is_told, ...row }) => ({ ...row, behind: is_told === 1 ? end - cursor : 0 }))
}
