/** What is owed to scripts: looked at, tried again by hand, dropped. */
import { type DeliveryRow, deliverySummary } from '../delivery-rows.ts'
import { type LoggedChange, loggedEvent, type ToldOf } from '../logged-event.ts'
import type { Backlog, DeliveriesQuery, DeliverySummary } from '../store.ts'
import type { Session } from './session.ts'

type Row = DeliveryRow & { now: number; is_all_paused: boolean }

const rows = `select d.*, s.name as script, s.state as script_state, s.paused_at, c.type, c.public_id, now_ms($1) as now,
    exists (select 1 from meta where key = 'paused-at') as is_all_paused,
    (select min(e.id) from delivery e
      where e.script = d.script and e.key = d.key and e.state <> 2 and e.id < d.id) as behind
  from delivery d join script s on s.id = d.script left join change c on c.seq = d.seq`

// Written out, since partial indexes are by these numbers.
const stateConditions = {
  waiting: 'd.state <> 2 and d.state in (0, 3, 4)',
  leased: 'd.state = 1',
  dead: 'd.state = 2',
} as const

export async function deliveries(
  { connections, nowMs }: Session,
  { script, state, after, limit }: DeliveriesQuery,
): Promise<DeliverySummary[]> {
  const conditions = ['d.id > $2', '($3::text is null or s.name = $3)']
  if (state !== undefined) conditions.push(stateConditions[state])
  const found = await connections.rows<Row>(
    `${rows} where ${conditions.join(' and ')} order by d.id limit $4`,
    [nowMs(), after ?? 0, script ?? null, limit],
  )
  return found.map(summaryOf)
}

export async function delivery(
  session: Session,
  id: number,
): Promise<{ summary: DeliverySummary; event: string | null } | null> {
  const [row] = await session.connections.rows<Row>(`${rows} where d.id = $2`, [session.nowMs(), id])
  if (row === undefined) return null
  return { summary: summaryOf(row), event: row.event ?? (await eventOfChange(session, row)) }
}

/** What an occurrence of a change tells, as far as the log still says so. */
export async function eventOfChange({ connections, epoch }: Session, told: ToldOf): Promise<string | null> {
  const [change] = await connections.rows<LoggedChange & { facts: string | null }>(
    'select type, at, revision, coalesce(event, facts_of(c)) as facts from change c where seq = $1',
    [told.seq],
  )
  return change === undefined ? null : loggedEvent(epoch, told, change, change.facts)
}

export function retryDelivery({ connections, nowMs }: Session, id: number): Promise<boolean> {
  return connections.value('retry_delivery', nowMs(), id)
}

export async function retryDead({ connections, nowMs }: Session, script: string | null): Promise<number> {
  return connections.value('retry_dead', nowMs(), await deadOf(connections, script))
}

export async function dropDelivery({ connections }: Session, id: number): Promise<boolean> {
  return (await connections.value<number>('drop_dead', [id])) === 1
}

export async function dropDead({ connections }: Session, script: string | null): Promise<number> {
  return connections.value('drop_dead', await deadOf(connections, script))
}

const deadOf = (connections: Session['connections'], script: string | null): Promise<number[]> =>
  connections.value('dead_of', script)

export async function backlog({ connections }: Session): Promise<Backlog[]> {
  return connections.rows<Backlog>(
    `select s.name as script,
       case when s.subscriptions::text = '[]' then 0
         else last_seq() + (select count(*) from pending_change) - s.cursor end as behind,
       (select count(*) from delivery d where d.script = s.id and d.state <> 2 and d.state <> 1) as waiting,
       (select count(*) from delivery d where d.script = s.id and d.state = 1) as leased,
       (select count(*) from delivery d where d.script = s.id and d.state = 2) as dead
     from script s order by s.name collate "C"`,
  )
}

function summaryOf({ now, is_all_paused, ...row }: Row): DeliverySummary {
  return deliverySummary(row, { nowMs: now, isAllPaused: is_all_paused })
}
