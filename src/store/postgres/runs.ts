/** The history of runs: searched by what an administrator knows, told once more, kept for a while. */
import { unknownEvent } from '../lost-run.ts'
import { mostLength, pageOfRuns, type RunRow, runSummary } from '../run-rows.ts'
import type { Replayed, ReplayRange, ReplayStart, RunSummary, RunsQuery } from '../store.ts'
import { eventOfChange } from './deliveries.ts'
import type { Session } from './session.ts'

/** What of a query is a condition of the rows; `$` stands for its value. */
const conditions: Partial<Record<keyof RunsQuery, string>> = {
  script: 'script = $',
  callback: 'callback = $',
  outcomes: 'outcome = any ($)',
  resource: `id in (select id from run where public_id = $ union select id from run where study = $
    union select r.id from run r join subject b on b.study = r.study where b.patient = $)`,
  patientId: `study in (select study from subject where patient_id = $
    union select patient from subject where patient_id = $)`,
  accessionNumber: 'study in (select study from subject where accession_number = $)',
  delivery: 'delivery = $',
  ids: 'id = any ($)',
  sinceMs: 'ended_at >= $',
  untilMs: 'ended_at < $',
  before: 'id < $',
  after: 'id > $',
}

export async function runs(session: Session, query: RunsQuery): Promise<RunSummary[]> {
  return pageOfRuns(await rowsOf(session, query))
}

/** Of each callback and change the last one, of those the latest up to the limit, in the order of the log. */
export async function runsToReplay({ connections }: Session, query: RunsQuery): Promise<number[]> {
  const { where, values } = filterOf(query)
  const rows = await connections.rows<{ id: number }>(
    `select id from (select max(id) as id, seq from run ${where} group by script, callback, seq
       order by max(id) desc limit $1) latest order by seq, id`,
    values,
  )
  return rows.map(({ id }) => id)
}

function rowsOf({ connections }: Session, query: RunsQuery): Promise<RunRow[]> {
  const { where, values } = filterOf(query)
  const order = query.after === undefined ? 'desc' : 'asc'
  // As `pageOfRuns` ends it, so that what it leaves out does not come here.
  const length = `length(logs) + length(host_calls) + coalesce(length(reason), 0) + coalesce(length(event), 0)`
  return connections.rows<RunRow>(
    `select * from (
       select *, sum(${length}) over (order by id ${order}) - (${length}) as before from (
         select * from run ${where} order by id ${order} limit $1) r) p
     where before <= ${mostLength} order by id ${order}`,
    values,
  )
}

function filterOf(query: RunsQuery): { where: string; values: unknown[] } {
  const values: unknown[] = [query.limit]
  const where = Object.entries(conditions).flatMap(([name, condition]) => {
    const value = query[name as keyof RunsQuery]
    if (value === undefined) return []
    values.push(typeof value === 'string' ? value.replaceAll('\0', '') : value)
    return condition.replaceAll('$', `$${values.length}`)
  })
  // The index of failures serves only a query that says so itself.
  if (query.outcomes !== undefined && !query.outcomes.includes('ok')) where.push(`outcome <> 'ok'`)
  return { where: where.length === 0 ? '' : `where ${where.join(' and ')}`, values }
}

export async function run(
  session: Session,
  id: number,
): Promise<{ summary: RunSummary; event: string | null } | null> {
  const [row] = await session.connections.rows<RunRow>('select * from run where id = $1', [id])
  if (row === undefined) return null
  const event = row.event ?? (await eventOfChange(session, { ...row, replay: 0 }))
  return { summary: runSummary(row), event: event === unknownEvent ? null : event }
}

export async function replayRuns(
  { connections, nowMs }: Session,
  ids: readonly number[],
  original: boolean,
  isPreview = false,
): Promise<Replayed> {
  const [replayed] = await connections.rows<Replayed>('select * from replay_runs(now_ms($1), $2, $3, $4)', [
    nowMs(),
    ids,
    original,
    isPreview,
  ])
  return replayed!
}

export async function replayRange(
  { connections }: Session,
  script: string,
  start: ReplayStart,
): Promise<ReplayRange | null> {
  await connections.value('number_pending')
  const [range] = await connections.rows<ReplayRange>('select * from replay_range($1, $2, $3)', [
    script,
    'seq' in start ? start.seq : null,
    'seq' in start ? null : start.atMs,
  ])
  return range ?? null
}

export function replaySince({ connections }: Session, script: string, since: number): Promise<number | null> {
  return connections.value('replay_since', script, since)
}
