/**
 * Tells scripts once more what they were told: by their runs, or by moving their cursor back.
 */

import { changeTypes, typeNumber } from '../numbers.ts'
import type { KeyChoice, Replayed, ReplayRange, ReplayStart, Subscription } from '../store.ts'
import { lastSeq } from './changes.ts'
import { deliveryKey, keyed } from './delivery-key.ts'
import { inSavepoint } from './savepoint.ts'
import type { Session } from './session.ts'
import { statesOfLast } from './turn.ts'

/** A run with its script and its change, as far as they are known. */
interface RunRow {
  script: number | null
  subscriptions: string
  callback: string
  seq: number
  version: string
  type: number | null
  resource: number
  public_id: string
  key: string
  event: string | null
}

export function replayRuns(
  session: Session,
  ids: readonly number[],
  original: boolean,
  isPreview = false,
): Replayed {
  if (!isPreview) return replayAll(session, ids, original)
  const counted = { counts: { replayed: 0, waiting: 0, gone: 0 } }
  const tryIt = (): Replayed => {
    counted.counts = replayAll(session, ids, original)
    throw counted
  }
  return inSavepoint(session, tryIt, (cause) => {
    if (cause !== counted) throw cause
    return counted.counts
  })
}

function replayAll(session: Session, ids: readonly number[], original: boolean): Replayed {
  const counts = { replayed: 0, waiting: 0, gone: 0 }
  const rows = ids.map((id) =>
    session
      .sql(
        `select s.id as script, s.subscriptions, r.callback, r.seq, r.version, c.type, c.resource, c.public_id, c.key,
           c.event
         from run r left join script s on s.name = r.script left join change c on c.seq = r.seq where r.id = ?`,
      )
      .get(id),
  ) as (RunRow | undefined)[]
  // As they came: deliveries are told in the order in which they are made.
  for (const row of rows.sort((left, right) => (left?.seq ?? 0) - (right?.seq ?? 0))) {
    const told = row === undefined ? null : toldBy(session, row)
    if (told === null) counts.gone++
    else if (replay(session, told, original ? row!.version : null)) counts.replayed++
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

/** Null: the script or the change is no longer known. */
function toldBy(session: Session, { script, subscriptions, callback, ...row }: RunRow): Told | null {
  if (script === null || row.type === null) return null
  const type = changeTypes[row.type]!
  const wanted = (JSON.parse(subscriptions) as Subscription[]).find(
    (each) => each.type === type && each.callback === callback,
  )
  const key = deliveryKey(session, wanted?.key ?? 'study', keyed(row, type))
  return { script, callback, seq: row.seq, key }
}

/** Tells one callback once more of one change. */
export function replayChange(
  session: Session,
  { script, callback, seq, choice }: { script: number; callback: string; seq: number; choice: KeyChoice },
): void {
  const row = session
    .sql('select seq, type, resource, public_id, key, event from change where seq = ?')
    .get(seq) as Pick<RunRow, 'seq' | 'resource' | 'public_id' | 'key' | 'event'> & { type: number }
  const key = deliveryKey(session, choice, keyed(row, changeTypes[row.type]!))
  replay(session, { script, callback, seq, key }, null)
}

/** False: it is owed already. */
function replay(session: Session, told: Told, version: string | null): boolean {
  session.sql('update script set replay = replay + 1 where id = ?').run(told.script)
  const { replay } = session.sql('select replay from script where id = ?').get(told.script) as {
    replay: number
  }
  return oweAgain(session, told, replay, version)
}

/**
 * Makes a delivery of a change that was told before. One that waits is enough. One that is dead was never finished: it
 * is owed as it was, under the same idempotency key, in the place that it has now.
 */
export function oweAgain(session: Session, told: Told, replay: number, version: string | null): boolean {
  const { script, callback, seq, key } = told
  const held = session
    .sql(
      'select id, state, replay from delivery where seq = +? and script = +? and callback = ? order by state = 2 limit 1',
    )
    .get(seq, script, callback) as { id: number; state: number; replay: number } | undefined
  if (held !== undefined && held.state !== 2) return false
  if (held !== undefined) session.sql('delete from delivery where id = ?').run(held.id)
  session
    .sql(
      `insert into delivery (script, callback, seq, key, state, run_at, replay, version) values
         (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      script,
      callback,
      seq,
      key,
      statesOfLast(session, script)(key),
      session.nowMs,
      held === undefined ? replay : held.replay,
      version,
    )
  return true
}

interface ScriptRow {
  id: number
  cursor: number
  /** Up to where it was told, or is being told once more. */
  until: number
  subscriptions: string
}

function scriptNamed(session: Session, name: string): ScriptRow | undefined {
  return session
    .sql('select id, cursor, max(cursor, replay_until) as until, subscriptions from script where name = ?')
    .get(name) as ScriptRow | undefined
}

export function replayRange(session: Session, name: string, start: ReplayStart): ReplayRange | null {
  const script = scriptNamed(session, name)
  if (script === undefined) return null
  const { until } = script
  const since = Math.min(sinceOf(session, start), until)
  const subscriptions = JSON.parse(script.subscriptions) as Subscription[]
  const { count } = session
    .sql(
      `select count(*) as count from change c join json_each(?) t on t.value = c.type where c.seq > ? and c.seq <= ?`,
    )
    .get(JSON.stringify(subscriptions.map(({ type }) => typeNumber(type))), since, until) as { count: number }
  const { waiting } = session
    .sql('select count(*) as waiting from delivery where script = ? and seq > ? and seq <= ? and state <> 2')
    .get(script.id, since, until) as { waiting: number }
  return { deliveries: count - waiting, waiting, since, until }
}

/** Moves the cursor back. What comes after it, up to the end of another replay, is told once more anyway. */
export function replaySince(session: Session, name: string, since: number): number | null {
  const script = scriptNamed(session, name)
  if (script === undefined) return null
  if (since < script.cursor) {
    session
      .sql('update script set cursor = ?, replay = replay + 1, replay_until = ? where name = ?')
      .run(since, script.until, name)
  }
  return script.until
}

function sinceOf(session: Session, start: ReplayStart): number {
  return 'seq' in start ? Math.max(0, start.seq) : lastBefore(session, start.atMs)
}

/** The number of the last change before a time. Times rise with the numbers, and no index is needed. */
function lastBefore(session: Session, atMs: number): number {
  const from = session.sql('select seq, at from change where seq >= ? order by seq limit 1')
  let [low, high] = [0, lastSeq(session)]
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2)
    const row = from.get(middle) as { seq: number; at: number } | undefined
    if (row !== undefined && row.seq <= high && row.at < atMs) low = row.seq
    else high = middle - 1
  }
  return low
}
