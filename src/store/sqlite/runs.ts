/**
 * The history of runs: written with the settlement, searched by what an administrator knows, kept for a while.
 */
import { type LoggedChange, loggedEvent, type ToldOf } from '../logged-event.ts'
import { unknownEvent } from '../lost-run.ts'
import { changeTypes, levelNumber, levelOfType } from '../numbers.ts'
import { noLevel, pageOfRuns, type RunRow, runSummary } from '../run-rows.ts'
import type { RunRecord, RunSummary, RunsQuery } from '../store.ts'
import { type FactsOf, factsOf } from './event.ts'
import type { Session } from './session.ts'

/** The delivery that a run was an attempt of. */
export interface RunOf {
  readonly id: number
  readonly name: string
  readonly callback: string
  readonly seq: number
  readonly attempt: number
  /** Of its change; all null if it is told of none. */
  readonly type: number | null
  readonly public_id: string | null
  readonly study: string | null
}

export function insertRun(session: Session, delivery: RunOf, run: RunRecord): void {
  const level = delivery.type === null ? noLevel : levelNumber(levelOfType(changeTypes[delivery.type]!))
  session
    .sql(
      `insert into run (delivery, script, callback, seq, level, public_id, study, attempt, attempts, version, outcome,
         reason, ended_at, duration_ms, cpu_ms, memory_bytes, logs, host_calls, event)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      delivery.id,
      delivery.name,
      delivery.callback,
      delivery.seq,
      level,
      delivery.public_id ?? '',
      delivery.study ?? '',
      delivery.attempt,
      run.attempts,
      run.version,
      run.outcome,
      run.reason,
      session.nowMs,
      run.durationMs,
      run.cpuMs,
      run.memoryBytes,
      run.logs,
      run.hostCalls,
      run.event,
    )
}

/** What of a query is a condition of the rows. */
const conditions: Partial<Record<keyof RunsQuery, string>> = {
  script: 'script = @script',
  callback: 'callback = @callback',
  outcomes: 'outcome in (select value from json_each(@outcomes))',
  resource: `id in (select id from run where public_id = @resource union select id from run where study = @resource
    union select r.id from run r join subject b on b.study = r.study where b.patient = @resource)`,
  patientId: `study in (select study from subject where patient_id = @patientId
    union select patient from subject where patient_id = @patientId)`,
  accessionNumber: 'study in (select study from subject where accession_number = @accessionNumber)',
  delivery: 'delivery = @delivery',
  ids: 'id in (select value from json_each(@ids))',
  sinceMs: 'ended_at >= @sinceMs',
  untilMs: 'ended_at < @untilMs',
  before: 'id < @before',
  after: 'id > @after',
}

export function runs(session: Session, query: RunsQuery): RunSummary[] {
  return pageOfRuns(rowsOf(session, query))
}

/** Of each callback and change the last one, of those the latest up to the limit, in the order of the log. */
export function runsToReplay(session: Session, query: RunsQuery): number[] {
  const rows = session
    .sql(
      `select id from (select max(id) as id, seq from run ${whereOf(query)} group by script, callback, seq
         order by max(id) desc limit @limit) order by seq, id`,
    )
    .all(valuesOf(query)) as { id: number }[]
  return rows.map(({ id }) => id)
}

function rowsOf(session: Session, query: RunsQuery): IterableIterator<RunRow> {
  const order = query.after === undefined ? 'desc' : 'asc'
  return session
    .sql(`select * from run ${whereOf(query)} order by id ${order} limit @limit`)
    .iterate(valuesOf(query)) as IterableIterator<RunRow>
}

const valuesOf = (query: RunsQuery) => ({
  ...query,
  outcomes: JSON.stringify(query.outcomes ?? []),
  ids: JSON.stringify(query.ids ?? []),
})

function whereOf(query: RunsQuery): string {
  const given = Object.keys(conditions).filter((name) => query[name as keyof RunsQuery] !== undefined)
  // The index of failures serves only a query that says so itself.
  const isOfFailures = query.outcomes !== undefined && !query.outcomes.includes('ok')
  const where = given.map((name) => conditions[name as keyof RunsQuery]!)
  if (isOfFailures) where.push(`outcome <> 'ok'`)
  return where.length === 0 ? '' : `where ${where.join(' and ')}`
}

export function run(session: Session, id: number): { summary: RunSummary; event: string | null } | null {
  const row = session.sql('select * from run where id = ?').get(id) as RunRow | undefined
  if (row === undefined) return null
  const event = row.event ?? eventOfChange(session, { ...row, replay: 0 })
  return { summary: runSummary(row), event: event === unknownEvent ? null : event }
}

/** What an occurrence of a change tells, as far as the log still says so. */
export function eventOfChange(session: Session, told: ToldOf): string | null {
  const change = session
    .sql('select type, resource, at, origin, event, revision from change where seq = ?')
    .get(told.seq) as (LoggedChange & Omit<FactsOf, 'type'>) | undefined
  if (change === undefined) return null
  // What was fixed is known also when the resource is gone.
  const facts = change.event ?? factsOf(session, { ...change, type: changeTypes[change.type]! }, new Map())
  return loggedEvent(session.epoch, told, change, facts)
}
