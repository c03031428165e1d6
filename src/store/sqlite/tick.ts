/**
 * Fires the windows that are due: the window goes, the revision counts up and the Stable* change is written,
 * all in one transaction.
 */
import type { ParentLevel } from '../../dicom/dicom.ts'
import { levelOf } from '../numbers.ts'
import type { TickReport, Trigger } from '../store.ts'
import { isAnnouncing, isBehindAnnouncements, releaseHeld } from './announcements.ts'
import { latestChangeMs } from './changes.ts'
import { appendChange, resourceAt, resourceBy, type WindowRow } from './rows.ts'
import type { Session } from './session.ts'
import { stableEvent } from './stable-event.ts'
import { checkAncestors, deadlineAtOf, quietAtOf, windowOf, windowsBelow } from './windows.ts'

/** A longer pause between two ticks means that silence was not observed. */
const gapMs = 2_000
/** After a pause, a window is watched for so long before it fires, or for its age if that is shorter. */
const observationMs = 10_000
/** Windows looked at in one transaction. */
const batch = 500
/** Later than any time, and still a whole number. */
const never = 9_000_000_000_000_000

/**
 * @param asOfMs when everything that was accepted before had its rows: what was accepted since, and may have been
 * answered, is not seen yet, so nothing fires that would not have fired then
 */
export function tick(session: Session, asOfMs: number): TickReport {
  const { nowMs } = session
  const dueMs = Math.min(nowMs, asOfMs)
  // The log never goes back, and may have something later already.
  session.nowMs = Math.max(dueMs, latestChangeMs(session))
  try {
    const fired = fireDue(session, dueMs)
    const next = session.sql('select min(check_at) as at from window').get() as { at: number | null }
    return { fired, nextCheckInMs: next.at === null ? null : Math.max(0, next.at - nowMs) }
  } finally {
    session.nowMs = nowMs
  }
}

function fireDue(session: Session, dueMs: number): number {
  observe(session)
  if (!isAnnouncing(session)) releaseHeld(session, dueMs)
  let fired = 0
  const due = session
    .sql('select * from window where check_at <= ? order by check_at, level desc, resource limit +?')
    .all(dueMs, batch) as WindowRow[]
  for (const { resource } of due) {
    // Firing one may have fired or moved others.
    const window = windowOf(session, resource)
    if (window !== undefined && window.check_at <= dueMs) fired += checkWindow(session, window, dueMs)
  }
  return fired
}

/** Fires a resource's window and all below it. */
export function forceStable(session: Session, level: ParentLevel, id: string): boolean {
  const resource = resourceBy(session, level, id)
  if (resource === undefined || windowOf(session, resource.id) === undefined) return false
  fireWithDescendants(session, resource.id, 'forced')
  return true
}

function observe({ observation, nowMs }: Session): void {
  const { lastTickMs } = observation
  if (lastTickMs === null || nowMs - lastTickMs > gapMs) observation.sinceMs = nowMs
  observation.lastTickMs = nowMs
}

/** Fires or re-arms one window; returns how many were fired. */
function checkWindow(session: Session, window: WindowRow, dueMs: number): number {
  const { observation } = session
  const observedAt = observation.sinceMs + Math.min(window.age_ms, observationMs)
  const quietAt = Math.max(quietAtOf(window), observedAt)
  const deadlineAt = Math.max(deadlineAtOf(window), observedAt)
  if (quietAt > dueMs && deadlineAt > dueMs) return rearm(session, window, Math.min(quietAt, deadlineAt))
  const isHeld = isBehindAnnouncements(session, window)
  const below = windowsBelow(session, { id: window.resource, level: window.level })
  if (quietAt <= dueMs && !isHeld && below.length === 0) return fire(session, window.resource, 'quiet')
  if (deadlineAt <= dueMs) return fireWithDescendants(session, window.resource, 'deadline')
  if (isHeld) return hold(session, window, quietAtOf(window), deadlineAt)
  // A parent waits for the last of its children; one tied with it is fired before it, in this tick or the next.
  const heldBelow = below.flatMap(({ held_due }) => held_due ?? [])
  if (heldBelow.length > 0) return hold(session, window, Math.max(...heldBelow), deadlineAt)
  const lastOfChildren = Math.max(...below.map(({ check_at }) => check_at))
  return rearm(session, window, Math.min(lastOfChildren, deadlineAt))
}

function rearm(session: Session, window: WindowRow, atMs: number): 0 {
  session.sql('update window set check_at = ?, held_due = null where resource = ?').run(atMs, window.resource)
  return 0
}

/** Looks at a window again when all that was announced before `dueMs` is there, or at its deadline. */
function hold(session: Session, window: WindowRow, dueMs: number, deadlineAt: number): 0 {
  session
    .sql('update window set check_at = ?, held_due = ? where resource = ?')
    .run(Math.min(deadlineAt, never), dueMs, window.resource)
  return 0
}

function fireWithDescendants(session: Session, resource: number, trigger: Trigger): number {
  const { level } = resourceAt(session, resource)
  const below = windowsBelow(session, { id: resource, level })
  let fired = 0
  for (const window of below) fired += fire(session, window.resource, trigger)
  return fired + fire(session, resource, trigger)
}

function fire(session: Session, resource: number, trigger: Trigger): 1 {
  session.sql('delete from window where resource = ?').run(resource)
  // A parent that was waiting for this one may be due before the time at which this one would have been quiet.
  if (trigger !== 'quiet') checkAncestors(session, resource)
  const { event, key, revision, newestInstance } = stableEvent(session, resource, trigger)
  session
    .sql(
      'update resource set revision = revision + 1, settled_instance = max(settled_instance, ?) where id = ?',
    )
    .run(newestInstance, resource)
  const row = resourceAt(session, resource)
  appendChange(session, `Stable${levelOf(row.level) as ParentLevel}`, {
    resource,
    id: row.public_id,
    key,
    event,
    stable: { revision, newestInstance },
  })
  return 1
}
