/**
 * The windows: one row per unstable resource. An arrival moves `last_at` and leaves `check_at`, which the
 * index is on, alone: the tick re-arms lazily.
 */
import { levels, type ParentLevel } from '../../dicom/dicom.ts'
import { heldElsewhere } from '../arrival.ts'
import { levelNumber } from '../numbers.ts'
import type { Age, WindowState } from '../store.ts'
import { seriesOf } from './added.ts'
import { type ResourceRow, resourceBy, type WindowRow } from './rows.ts'
import type { Session } from './session.ts'

/** Instances that arrived below one resource, and the longest age that any of them was given. */
export interface Arrivals {
  readonly level: ParentLevel
  readonly resource: number
  readonly age: Age
  readonly firstMs: number
  readonly lastMs: number
  /** Whether any of them is held elsewhere. */
  readonly elsewhere: boolean
}

/** Opens a window, or moves it on; the longest age that any arrival was given counts. */
export function touchWindow(session: Session, arrivals: Arrivals): void {
  const { level, resource, age, firstMs, lastMs, elsewhere } = arrivals
  const { ageMs, maxWaitMs } = age
  const window = session
    .sql(
      `insert into window (resource, level, opened_at, last_at, age_ms, max_wait_ms, check_at, elsewhere)
       values (@resource, @level, @firstMs, @lastMs, @ageMs, @maxWaitMs,
         @firstMs + min(@ageMs, coalesce(@maxWaitMs, @ageMs)), @elsewhere)
       on conflict (resource) do update set
         last_at = max(last_at, excluded.last_at),
         age_ms = max(age_ms, excluded.age_ms),
         elsewhere = max(elsewhere, excluded.elsewhere),
         max_wait_ms = coalesce(min(max_wait_ms, excluded.max_wait_ms), max_wait_ms, excluded.max_wait_ms)
       returning max_wait_ms`,
    )
    .get({
      resource,
      level: levelNumber(level),
      firstMs,
      lastMs,
      ageMs,
      maxWaitMs,
      elsewhere: elsewhere ? 1 : 0,
    }) as Pick<WindowRow, 'max_wait_ms'>
  if (window.max_wait_ms === null) return
  session
    .sql(
      'update window set check_at = opened_at + max_wait_ms where resource = ? and check_at > opened_at + max_wait_ms',
    )
    .run(resource)
}

/** Opens a window now, or starts an open one again. */
export function markUnstable(session: Session, level: ParentLevel, id: string, age: Age): boolean {
  const resource = resourceBy(session, level, id)
  if (resource === undefined) return false
  const { nowMs } = session
  touchWindow(session, {
    level,
    resource: resource.id,
    age,
    firstMs: nowMs,
    lastMs: nowMs,
    elsewhere: isHeldElsewhere(session, resource),
  })
  return true
}

/** Whether any instance of a resource is. */
function isHeldElsewhere(session: Session, resource: ResourceRow): boolean {
  const one = session.sql('select 1 from instance where series = ? and file = ? limit 1')
  return seriesOf(session, resource).some(({ id }) => one.get(id, heldElsewhere) !== undefined)
}

export function windowOf(session: Session, resource: number): WindowRow | undefined {
  return session.sql('select * from window where resource = ?').get(resource) as WindowRow | undefined
}

/** The open windows below a resource, series before studies. */
export function windowsBelow(session: Session, resource: Pick<ResourceRow, 'id' | 'level'>): WindowRow[] {
  if (levels[resource.level] === 'Series') return []
  return session
    .sql(
      `select w.* from resource r join window w on w.resource = r.id where r.parent = @id
       union all
       select w.* from resource r join resource s on s.parent = r.id join window w on w.resource = s.id where r.parent = @id
       order by 2 desc, 1`,
    )
    .all({ id: resource.id }) as WindowRow[]
}

/** When a window will have been quiet for its age. */
export function quietAtOf(window: WindowRow): number {
  return window.last_at + window.age_ms
}

/** When a window has waited as long as it may; infinity if it may wait for ever. */
export function deadlineAtOf(window: WindowRow): number {
  return window.max_wait_ms === null ? Number.POSITIVE_INFINITY : window.opened_at + window.max_wait_ms
}

export function windows(session: Session, limit: number): WindowState[] {
  const rows = session
    .sql(
      'select w.*, r.public_id from window w join resource r on r.id = w.resource order by w.check_at limit ?',
    )
    .all(limit) as (WindowRow & { public_id: string })[]
  return rows.map((row) => ({
    level: levels[row.level] as ParentLevel,
    id: row.public_id,
    openedAtMs: row.opened_at,
    lastAtMs: row.last_at,
    dueInMs: Math.max(0, Math.min(quietAtOf(row), deadlineAtOf(row)) - session.nowMs),
    isHeld: row.held_due !== null,
  }))
}

/** Lets the next tick look at the windows of all that is above a resource. */
export function checkAncestors(session: Session, resource: number): void {
  session
    .sql(
      `with recursive above (id) as (
         select parent from resource where id = @resource
         union all select r.parent from above a join resource r on r.id = a.id where r.parent is not null)
       update window set check_at = @now where check_at > @now and resource in (select id from above)`,
    )
    .run({ resource, now: session.nowMs })
}
