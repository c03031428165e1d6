/**
 * Tells scripts once more what they were told: by their runs, or by moving their cursor back.
 */
import type { Replayed, ReplayRange, ReplayStart, Subscription } from '../store.ts'
import { typeNumber } from './rows.ts'
import type { Session } from './session.ts'

interface RunRow {
  id: number
  script: number | null
  callback: string
  seq: number
  version: string
  key: string | null
}

export function replayRuns(session: Session, ids: readonly number[], original: boolean): Replayed {
  const counts = { replayed: 0, waiting: 0, gone: 0 }
  for (const id of ids) {
    const row = session
      .sql(
        `select r.id, s.id as script, r.callback, r.seq, r.version,
           coalesce((select d.key from delivery d where d.id = r.delivery), c.key) as key
         from run r left join script s on s.name = r.script left join change c on c.seq = r.seq where r.id = ?`,
      )
      .get(id) as RunRow | undefined
    if (row === undefined || row.script === null || row.key === null) counts.gone++
    else if (replay(session, { ...row, script: row.script, key: row.key }, original ? row.version : null))
      counts.replayed++
    else counts.waiting++
  }
  return counts
}

interface Told {
  readonly script: number
  readonly callback: string
  readonly seq: number
  readonly key: string
}

/** False: it is owed already. */
function replay(session: Session, told: Told, version: string | null): boolean {
  session.sql('update script set replay = replay + 1 where id = ?').run(told.script)
  const { replay } = session.sql('select replay from script where id = ?').get(told.script) as {
    replay: number
  }
  return oweAgain(session, told, replay, version)
}

/** Makes a delivery of a change that was told before; one that is dead is tried again, one that waits is enough. */
export function oweAgain(session: Session, told: Told, replay: number, version: string | null): boolean {
  const { script, callback, seq, key } = told
  const held = session
    .sql(
      'select id, state from delivery where seq = +? and script = +? and callback = ? order by state limit 1',
    )
    .get(seq, script, callback) as { id: number; state: number } | undefined
  if (held !== undefined && held.state !== 2) return false
  if (held !== undefined) session.sql('delete from delivery where id = ?').run(held.id)
  session
    .sql(
      `insert into delivery (script, callback, seq, key, state, run_at, replay, version) values (?, ?, ?, ?, 0, ?, ?, ?)`,
    )
    .run(script, callback, seq, key, session.nowMs, replay, version)
  return true
}

interface ScriptRow {
  id: number
  cursor: number
  subscriptions: string
}

export function replayRange(session: Session, name: string, start: ReplayStart): ReplayRange | null {
  const script = session.sql('select id, cursor, subscriptions from script where name = ?').get(name) as
    | ScriptRow
    | undefined
  if (script === undefined) return null
  const since = Math.min(sinceOf(session, start), script.cursor)
  const subscriptions = JSON.parse(script.subscriptions) as Subscription[]
  const { count } = session
    .sql(
      `select count(*) as count from change c join json_each(?) t on t.value = c.type where c.seq > ? and c.seq <= ?`,
    )
    .get(JSON.stringify(subscriptions.map(({ type }) => typeNumber(type))), since, script.cursor) as {
    count: number
  }
  return { deliveries: count, since, until: script.cursor }
}

export function replaySince(session: Session, name: string, start: ReplayStart): ReplayRange | null {
  const range = replayRange(session, name, start)
  if (range === null || range.since === range.until) return range
  session
    .sql(
      'update script set cursor = ?, replay = replay + 1, replay_until = max(replay_until, cursor) where name = ?',
    )
    .run(range.since, name)
  return range
}

function sinceOf(session: Session, start: ReplayStart): number {
  if ('seq' in start) return Math.max(0, start.seq)
  const row = session.sql('select max(seq) as seq from change where at < ?').get(start.atMs) as {
    seq: number | null
  }
  return row.seq ?? 0
}
