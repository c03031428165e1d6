/** Windows as the contract shows them, and what fires them. */
import { levels, type ParentLevel } from '../../dicom/dicom.ts'
import { levelNumber } from '../numbers.ts'
import type { Age, TickReport, WindowState } from '../store.ts'
import type { Session } from './session.ts'

/** How soon to come again when another node is at it. */
const againMs = 20
/** Others open windows, too, and may not live to tick. */
const longestMs = 1_000

export async function tick({ connections, nowMs }: Session): Promise<TickReport> {
  const [report] = await connections.rows<{ fired: number; next_check_in_ms: number | null }>(
    'select * from tick($1)',
    [nowMs()],
  )
  if (report === undefined) return { fired: 0, nextCheckInMs: againMs }
  return { fired: report.fired, nextCheckInMs: Math.min(report.next_check_in_ms ?? longestMs, longestMs) }
}

export function forceStable(
  { connections, nowMs }: Session,
  level: ParentLevel,
  id: string,
): Promise<boolean> {
  return connections.value('force_stable', nowMs(), levelNumber(level), id)
}

export function markUnstable(
  { connections, nowMs }: Session,
  level: ParentLevel,
  id: string,
  { ageMs, maxWaitMs }: Age,
): Promise<boolean> {
  return connections.value('mark_unstable', nowMs(), levelNumber(level), id, ageMs, maxWaitMs)
}

export async function windows({ connections, nowMs }: Session, limit: number): Promise<WindowState[]> {
  interface Row {
    level: number
    public_id: string
    opened_at: number
    last_at: number
    due_in_ms: number
    is_held: boolean
  }
  const rows = await connections.rows<Row>(
    `select w.level, r.public_id, w.opened_at, w.last_at,
       greatest(0, least(w.last_at + w.age_ms, w.opened_at + w.max_wait_ms) - now_ms($1)) as due_in_ms,
       w.held_due is not null as is_held
     from open_window w join resource r on r.id = w.resource order by w.check_at limit $2`,
    [nowMs(), limit],
  )
  return rows.map((row) => ({
    level: levels[row.level] as ParentLevel,
    id: row.public_id,
    openedAtMs: row.opened_at,
    lastAtMs: row.last_at,
    dueInMs: row.due_in_ms,
    isHeld: row.is_held,
  }))
}
