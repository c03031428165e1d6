/**
 * What a broker announces of instances that are held elsewhere: their windows fire only when everything that was
 * announced while they were quiet has been taken in.
 */
import { announcedForMs } from '../broker.ts'
import type { Announcements } from '../store.ts'
import type { WindowRow } from './rows.ts'
import { keepNumber, numberIn, type Session } from './session.ts'
import { quietAtOf } from './windows.ts'

/** The promise to follow them is written anew when so much of it is over. */
const renewAfterMs = 60_000

export function observeAnnouncements(session: Session, caughtUpAtMs: number | null): Announcements {
  const { nowMs, sql } = session
  const untilMs = nowMs + announcedForMs
  if (numberIn(sql, 'announced-until') < untilMs - renewAfterMs) keepNumber(sql, 'announced-until', untilMs)
  // Nothing is known of what is still to come.
  const caughtUpMs = Math.min(caughtUpAtMs ?? 0, nowMs)
  const isNews = caughtUpMs > numberIn(sql, 'caught-up')
  if (isNews) keepNumber(sql, 'caught-up', caughtUpMs)
  const released = isNews && releaseHeld(session, caughtUpMs) > 0
  const isWaitedFor = sql('select 1 from window where held_due is not null limit 1').get() !== undefined
  return { nowMs, released, isWaitedFor }
}

/** Whether somebody follows the announcements, or will soon do so again. */
export function isAnnouncing(session: Session): boolean {
  return numberIn(session.sql, 'announced-until') > session.nowMs
}

/** Whether its silence may only be that of a broker that is behind. */
export function isBehindAnnouncements(session: Session, window: WindowRow): boolean {
  if (window.elsewhere === 0 || !isAnnouncing(session)) return false
  return numberIn(session.sql, 'caught-up') < quietAtOf(window)
}

/** Lets the next tick look at the windows that were held for nothing later than this. */
export function releaseHeld(session: Session, upToMs: number): number {
  return session.sql('update window set check_at = held_due, held_due = null where held_due <= ?').run(upToMs)
    .changes
}
