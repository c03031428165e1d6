/** Rows of runs, as all stores keep them, and the runs that they are. */
import { type Level, levels } from '../dicom/dicom.ts'
import type { RunSummary } from './store.ts'

/** The `level` of a run that was about no resource. */
export const noLevel = -1

export interface RunRow {
  id: number
  delivery: number
  script: string
  callback: string
  seq: number
  level: number
  public_id: string
  attempt: number
  attempts: number | null
  version: string
  outcome: RunSummary['outcome']
  reason: string | null
  ended_at: number
  duration_ms: number
  cpu_ms: number
  memory_bytes: number
  logs: string
  host_calls: string
  event: string | null
}

/** Length of all texts of a page of runs: fewer are given than were asked for when they say much. */
export const mostLength = 4_000_000

export function pageOfRuns(rows: Iterable<RunRow>): RunSummary[] {
  const found: RunSummary[] = []
  let length = 0
  for (const row of rows) {
    length += row.logs.length + row.host_calls.length + (row.reason?.length ?? 0) + (row.event?.length ?? 0)
    if (length > mostLength && found.length > 0) break
    found.push(runSummary(row))
  }
  return found
}

export function runSummary(row: RunRow): RunSummary {
  return {
    id: row.id,
    delivery: row.delivery,
    script: row.script,
    callback: row.callback,
    seq: row.seq,
    resource: row.level === noLevel ? null : { level: levels[row.level] as Level, id: row.public_id },
    attempt: row.attempt,
    attempts: row.attempts,
    version: row.version,
    outcome: row.outcome,
    reason: row.reason,
    endedAtMs: row.ended_at,
    durationMs: row.duration_ms,
    cpuMs: row.cpu_ms,
    memoryBytes: row.memory_bytes,
    logs: row.logs,
    hostCalls: row.host_calls,
  }
}
