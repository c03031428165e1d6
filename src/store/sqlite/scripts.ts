/**
 * Scripts: the version in force, what it wants to be told, and how far in the log it has been served.
 */
import { type ScriptTableRow, scriptRow } from '../script-rows.ts'
import type { ScriptRow, ScriptVersion, Subscription } from '../store.ts'
import { lastSeq } from './changes.ts'
import { setHeartbeat } from './heartbeat.ts'
import { keyAnew } from './key-anew.ts'
import type { Session } from './session.ts'

export function scripts(session: Session): ScriptRow[] {
  const rows = session
    .sql('select * from script s join script_version v on v.hash = s.version order by s.name')
    .all() as ScriptTableRow[]
  return rows.map(scriptRow)
}

export function putScript(
  session: Session,
  name: string,
  version: ScriptVersion,
  subscriptions: readonly Subscription[],
  beatEveryMs: number | null = null,
  concurrency = 1,
): void {
  session
    .sql('insert or ignore into script_version values (?, ?, ?, ?)')
    .run(version.hash, version.code, version.sourceMap, session.nowMs)
  const before = session.sql('select id, subscriptions from script where name = ?').get(name) as
    | { id: number; subscriptions: string }
    | undefined
  session
    .sql(
      `insert into script (name, state, cursor, version, subscriptions, concurrency) values (?, 'active', ?, ?, ?, ?)
       on conflict (name) do update set
         state = case when state = 'suspended' and version = excluded.version then state else 'active' end,
         version = excluded.version, subscriptions = excluded.subscriptions, concurrency = excluded.concurrency`,
    )
    .run(name, lastSeq(session), version.hash, JSON.stringify(subscriptions), concurrency)
  if (before !== undefined) keyAnew(session, before.id, before.subscriptions, subscriptions)
  setHeartbeat(session, name, beatEveryMs)
}

/** What was once in force. */
export function scriptVersion(session: Session, hash: string): ScriptVersion | null {
  const row = session.sql('select hash, code, source_map from script_version where hash = ?').get(hash) as
    | { hash: string; code: string; source_map: string }
    | undefined
  return row === undefined ? null : { hash, code: row.code, sourceMap: row.source_map }
}

export function parkScript(session: Session, name: string): void {
  session.sql(`update script set state = 'parked' where name = ?`).run(name)
}

/** Its runs stay, until their time is over. */
export function forgetScript(session: Session, name: string): boolean {
  const row = session.sql(`select id from script where name = ? and state = 'parked'`).get(name)
  if (row === undefined) return false
  const { id } = row as { id: number }
  for (const table of ['delivery', 'finished']) session.sql(`delete from ${table} where script = ?`).run(id)
  session.sql('delete from key_value where script = ?').run(name)
  session.sql('delete from script where id = ?').run(id)
  return true
}

export function suspendScript(session: Session, name: string, version: string, reason: string): void {
  session
    .sql(
      `update script set state = 'suspended', suspended_reason = ?, suspended_at = ?
       where name = ? and version = ? and state = 'active'`,
    )
    .run(reason, session.nowMs, name, version)
}

/** @param mostBehind how many changes it may be behind; what is before those is passed over */
export function resumeScript(session: Session, name: string, mostBehind: number | null = null): void {
  if (mostBehind !== null) {
    session
      .sql('update script set cursor = max(cursor, ?) where name = ? and cursor >= replay_until')
      .run(lastSeq(session) - mostBehind, name)
  }
  session.sql(`update script set state = 'active' where name = ? and state = 'suspended'`).run(name)
}

const pausedKey = 'paused-at'

export function pause(session: Session, name: string | null): boolean {
  if (name === null) {
    session.sql('insert or ignore into meta values (?, ?)').run(pausedKey, session.nowMs)
    return true
  }
  const pausing = session.sql('update script set paused_at = coalesce(paused_at, ?) where name = ?')
  return pausing.run(session.nowMs, name).changes > 0
}

export function unpause(session: Session, name: string | null): void {
  if (name === null) session.sql('delete from meta where key = ?').run(pausedKey)
  else session.sql('update script set paused_at = null where name = ?').run(name)
}

/** Since when nothing is handed out to any script; null: it is. */
export function pausedAll(session: Session): number | null {
  const row = session.sql('select value from meta where key = ?').get(pausedKey)
  return (row as { value: number } | undefined)?.value ?? null
}
