/**
 * Settles deliveries: how a run ended, what it wrote to its memory, and how the delivery goes on, together.
 * Also the history of runs and the size of the backlog.
 */
import { type Level, levels } from '../../dicom/dicom.ts'
import type { Backlog, RunRecord, RunSummary, Settlement } from '../store.ts'
import { lastSeq } from './changes.ts'
import { writeKeyValues } from './key-value.ts'
import { deliveryState } from './lease.ts'
import { changeTypes, levelNumber, levelOfType } from './rows.ts'
import type { Session } from './session.ts'

/** Runs that are kept. */
const runLimit = 10_000

interface DeliveryRow {
  id: number
  name: string
  callback: string
  seq: number
  attempt: number
}

export function settle(session: Session, settlement: Settlement): boolean {
  const row = session
    .sql(
      `select d.id, s.name, d.callback, d.seq, d.attempt from delivery d join script s on s.id = d.script
       where d.id = +? and d.fence = +? and d.state = 1`,
    )
    .get(settlement.delivery, settlement.fence) as DeliveryRow | undefined
  if (row === undefined) return false
  if (settlement.run !== null) insertRun(session, row, settlement.run)
  writeKeyValues(session, row.name, settlement.keyValueWrites)
  moveOn(session, settlement)
  return true
}

function moveOn(session: Session, { delivery, next, delayMs, run }: Settlement): void {
  switch (next) {
    case 'done':
      session.sql('delete from delivery where id = ?').run(delivery)
      return
    case 'retry':
      session
        .sql('update delivery set state = ?, run_at = ?, lease_until = null, reason = ? where id = ?')
        .run(deliveryState.ready, session.nowMs + delayMs, run?.reason ?? null, delivery)
      return
    case 'dead':
      session
        .sql('update delivery set state = ?, lease_until = null, reason = ? where id = ?')
        .run(deliveryState.dead, run?.reason ?? null, delivery)
      return
    case 'release':
      session
        .sql('update delivery set state = ?, lease_until = null, attempt = attempt - 1 where id = ?')
        .run(deliveryState.ready, delivery)
      return
    default:
      next satisfies never
  }
}

function insertRun(session: Session, delivery: DeliveryRow, run: RunRecord): void {
  const change = session.sql('select type, public_id from change where seq = ?').get(delivery.seq) as {
    type: number
    public_id: string
  }
  const { lastInsertRowid } = session
    .sql(
      `insert into run (delivery, script, callback, seq, level, public_id, attempt, version, outcome, reason, ended_at,
         duration_ms, cpu_ms, memory_bytes, logs, host_calls)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      delivery.id,
      delivery.name,
      delivery.callback,
      delivery.seq,
      levelNumber(levelOfType(changeTypes[change.type]!)),
      change.public_id,
      delivery.attempt,
      run.version,
      run.outcome,
      run.reason,
      session.nowMs,
      run.durationMs,
      run.cpuMs,
      run.memoryBytes,
      run.logs,
      run.hostCalls,
    )
  session.sql('delete from run where id <= ?').run(Number(lastInsertRowid) - runLimit)
}

interface RunRow {
  id: number
  delivery: number
  script: string
  callback: string
  seq: number
  level: number
  public_id: string
  attempt: number
  version: string
  outcome: RunSummary['outcome']
  reason: string | null
  ended_at: number
  duration_ms: number
  cpu_ms: number
  memory_bytes: number
  logs: string
  host_calls: string
}

/** The latest first. */
export function runs(session: Session, query: { script?: string; limit: number }): RunSummary[] {
  const rows = session
    .sql('select * from run where @script is null or script = @script order by id desc limit @limit')
    .all({ script: query.script ?? null, limit: query.limit }) as RunRow[]
  return rows.map((row) => ({
    id: row.id,
    delivery: row.delivery,
    script: row.script,
    callback: row.callback,
    seq: row.seq,
    resource: { level: levels[row.level] as Level, id: row.public_id },
    attempt: row.attempt,
    version: row.version,
    outcome: row.outcome,
    reason: row.reason,
    endedAtMs: row.ended_at,
    durationMs: row.duration_ms,
    cpuMs: row.cpu_ms,
    memoryBytes: row.memory_bytes,
    logs: row.logs,
    hostCalls: row.host_calls,
  }))
}

export function backlog(session: Session): Backlog[] {
  const rows = session
    .sql(
      `select s.name as script, s.cursor,
         (select count(*) from delivery d where d.script = s.id and d.state = 0) as waiting,
         (select count(*) from delivery d where d.script = s.id and d.state = 1) as leased,
         (select count(*) from delivery d where d.script = s.id and d.state = 2) as dead
       from script s order by s.name`,
    )
    .all() as (Omit<Backlog, 'behind'> & { cursor: number })[]
  const end = lastSeq(session)
  return rows.map(({ cursor, ...row }) => ({ ...row, behind: end - cursor }))
}
