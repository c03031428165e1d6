/** Runs: what is kept of each attempt of a delivery, and how they are looked for. */
import type { Level } from '../dicom/dicom.ts'

export const outcomes = [
  'ok',
  'threw',
  'timed-out',
  'out-of-memory',
  'crashed',
  'refused',
  'skipped',
] as const
export type Outcome = (typeof outcomes)[number]

/** What is kept of one attempt. */
export interface RunRecord {
  readonly version: string
  readonly outcome: Outcome
  /** Why it did not end `ok`: the error as JSON, or the reason for skipping. */
  readonly reason: string | null
  /** How many attempts the delivery may have; null: that was not known, or is for its script to say. */
  readonly attempts: number | null
  readonly durationMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
  /** JSON arrays. */
  readonly logs: string
  readonly hostCalls: string
  /** What it was told, as JSON. Null: what the log says; an empty text: nobody knows. */
  readonly event: string | null
}

/** Of a record without a run that anybody saw. */
export const nothingRan = {
  attempts: null,
  durationMs: 0,
  cpuMs: 0,
  memoryBytes: 0,
  logs: '[]',
  hostCalls: '[]',
} satisfies Partial<RunRecord>

export interface RunSummary extends Omit<RunRecord, 'event'> {
  readonly id: number
  readonly delivery: number
  readonly script: string
  readonly callback: string
  /** Of the change; 0: it was told of none. */
  readonly seq: number
  readonly attempt: number
  readonly endedAtMs: number
  /** Null: it was about none. */
  readonly resource: { readonly level: Level; readonly id: string } | null
}

/** All that is given has to hold. */
export interface RunsQuery {
  readonly script?: string
  readonly callback?: string
  readonly outcomes?: readonly Outcome[]
  /** Identifier of a resource; of a study or a patient, what is below it counts as well. */
  readonly resource?: string
  /** Tags of the study. */
  readonly patientId?: string
  readonly accessionNumber?: string
  readonly delivery?: number
  readonly ids?: readonly number[]
  /** When it ended: from, up to and not including. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Identifiers of runs, both exclusive. With `after` the oldest come first, else the latest. */
  readonly before?: number
  readonly after?: number
  readonly limit: number
}

/** How long ended runs are kept. Those of a dead delivery are kept until it is retried or dropped. */
export interface RunRetention {
  /** That ended `ok` or `skipped`. */
  readonly okMs: number
  readonly failedMs: number
  /** So many of the oldest go as well, whatever their age. */
  readonly tooMany: number
}

export interface RetiredRuns {
  /** Of those that were too many. */
  readonly removed: number
  /** There is nothing more to remove. */
  readonly isOver: boolean
}

/** What all runs take, estimated. */
export interface RunsSize {
  readonly runs: number
  readonly bytes: number
}
