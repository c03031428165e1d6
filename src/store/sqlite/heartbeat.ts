/**
 * Heartbeats: deliveries that no change owes. What was missed while nobody could be told, or while the one before was
 * still being told, comes as one, which says how many.
 */

import { heartbeatKeyOf } from '../event-head.ts'
import { isoTime } from '../json-parts.ts'
import type { Lease } from '../store.ts'
import type { Session } from './session.ts'

/** In the place of the number of a change. */
export const noSeq = 0
const callback = 'onHeartbeat'
const key = '#heartbeat'

export interface BeatingScript {
  readonly id: number
  readonly name: string
  readonly beat_every_ms: number | null
  readonly beat_at: number | null
}

/** Makes the delivery that is due, if none is owed still. */
export function beat(session: Session, { id, beat_every_ms: everyMs, beat_at: dueMs }: BeatingScript): void {
  if (everyMs === null || dueMs === null || dueMs > session.nowMs) return
  const owed = session
    .sql('select 1 from delivery where script = ? and key = ? and state <> 2 limit 1')
    .get(id, key)
  if (owed !== undefined) return
  const missed = Math.floor((session.nowMs - dueMs) / everyMs)
  const event = JSON.stringify({ dueAt: isoTime(dueMs + missed * everyMs), missed, everyMs })
  session
    .sql(
      'insert into delivery (script, callback, seq, key, state, run_at, event) values (?, ?, ?, ?, 0, ?, ?)',
    )
    .run(id, callback, noSeq, key, session.nowMs, event)
  session.sql('update script set beat_at = ? where id = ?').run(dueMs + (missed + 1) * everyMs, id)
}

/** When the next is due of the scripts asked about; null: none. */
export function nextBeat(session: Session, names: readonly string[]): number | null {
  const { at } = session
    .sql(
      `select min(beat_at) as at from script s where state = 'active' and paused_at is null and beat_at > ?
         and name in (select value from json_each(?))`,
    )
    .get(session.nowMs, JSON.stringify(names)) as { at: number | null }
  return at
}

/** Sets how often a script is told; the first time is one interval from now. */
export function setHeartbeat(session: Session, name: string, everyMs: number | null): void {
  session
    .sql(
      `update script set beat_every_ms = @everyMs, beat_at = @now + @everyMs
       where name = @name and beat_every_ms is not @everyMs`,
    )
    .run({ name, everyMs, now: session.nowMs })
}

export interface BeatRow {
  readonly id: number
  readonly attempt: number
  readonly fence: number
  readonly run_at: number
  readonly version: string | null
  readonly event: string | null
}

export function beatLease(session: Session, script: BeatingScript, row: BeatRow): Lease {
  const attempt = row.attempt + 1
  const idempotencyKey = heartbeatKeyOf(session.epoch, script.name, row.id)
  const at = isoTime(session.nowMs)
  return {
    delivery: row.id,
    fence: row.fence + 1,
    attempt,
    script: script.name,
    callback,
    key,
    seq: noSeq,
    resource: null,
    event: JSON.stringify({ at, attempt, idempotencyKey, ...JSON.parse(row.event ?? '{}') }),
    isAsLogged: false,
    idempotencyKey,
    version: row.version,
    late: null,
    changedAtMs: row.run_at,
    leasedAtMs: session.nowMs,
  }
}
