/** Removes runs that are kept no longer, some at a time, and what was noted for their sake. */
import type { RetiredRuns, RunRetention, RunsSize } from '../store.ts'
import { sampledBytes } from './sampled-bytes.ts'
import type { Session } from './session.ts'

/** In one transaction, of each kind. */
const atATime = 500

/** Those of a dead delivery stay, whatever their age. */
const isHandled = 'not exists (select 1 from delivery d where d.id = run.delivery and d.state = 2)'

export function retireRuns(session: Session, { okMs, failedMs, tooMany }: RunRetention): RetiredRuns {
  const { nowMs } = session
  const old = [
    removeRuns(session, `outcome in ('ok', 'skipped') and id <= ?`, lastBefore(session, nowMs - okMs)),
    removeRuns(
      session,
      `outcome <> 'ok' and outcome <> 'skipped' and id <= ? and ${isHandled}`,
      lastBefore(session, nowMs - failedMs),
    ),
  ]
  const removed = removeRuns(session, `id > ? and ${isHandled}`, 0, Math.min(tooMany, atATime))
  return { removed, isOver: !old.includes(atATime) && removed < atATime }
}

/** The tags of a study that is gone were kept so that its runs can be found by them. */
export function forgetSubject(session: Session, study: string): void {
  session
    .sql(
      `delete from subject where study = @study
         and not exists (select 1 from resource where level = 1 and public_id = @study)
         and not exists (select 1 from run where study = @study)`,
    )
    .run({ study })
}

/** The number of the last run that ended before a time; 0: none did. */
function lastBefore(session: Session, atMs: number): number {
  const row = session.sql('select id from run where ended_at < ? order by ended_at desc limit 1').get(atMs) as
    | { id: number }
    | undefined
  return row?.id ?? 0
}

function removeRuns(session: Session, which: string, number: number, most = atATime): number {
  const removed = session
    .sql(
      `delete from run where id in (select id from run where ${which} order by id limit +?) returning study`,
    )
    .all(number, most) as { study: string }[]
  for (const study of new Set(removed.map((row) => row.study))) forgetSubject(session, study)
  return removed.length
}

/** Of a row beside its texts. */
const rowBytes = 300

const samples = 200

/** An estimate by some rows, evenly over all: to look at each would take long. */
export function runsSize(session: Session): RunsSize {
  const { count, first, last } = session
    .sql('select count(*) as count, min(id) as first, max(id) as last from run')
    .get() as { count: number; first: number | null; last: number | null }
  if (first === null || last === null) return { runs: 0, bytes: 0 }
  const sample = session.sql(
    `select octet_length(logs) + octet_length(host_calls) + octet_length(coalesce(reason, ''))
       + octet_length(coalesce(event, '')) as bytes
     from run where id >= ? order by id limit 1`,
  )
  const bytes = Math.round(count * (sampledBytes(sample, first, last, samples) + rowBytes))
  return { runs: count, bytes }
}
