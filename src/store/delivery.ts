/** Scripts, the deliveries owed to their callbacks, and the runs that settle them. */
import type { Level } from '../dicom/dicom.ts'
import type { ChangeType } from './change.ts'

/** A version of a script: what was compiled, under the hash of its content. */
export interface ScriptVersion {
  readonly hash: string
  readonly code: string
  readonly sourceMap: string
}

/** Which changes go to which callback of a script. */
export interface Subscription {
  readonly type: ChangeType
  readonly callback: string
}

export interface ScriptRow {
  readonly name: string
  /**
   * `active`: served. `parked`: its file is gone; `suspended`: it does harm. What it is owed waits until the file
   * comes back, or until it is saved or resumed.
   */
  readonly state: 'active' | 'parked' | 'suspended'
  /** Null unless it is suspended. */
  readonly suspension: { readonly reason: string; readonly atMs: number } | null
  readonly cursor: number
  readonly version: ScriptVersion
  readonly subscriptions: readonly Subscription[]
}

/** One delivery, handed out to be run until `ttlMs` from now; `fence` proves that it is still ours. */
export interface Lease {
  readonly delivery: number
  readonly fence: number
  readonly attempt: number
  readonly script: string
  readonly callback: string
  readonly key: string
  readonly seq: number
  readonly resource: { readonly level: Level; readonly id: string }
  /** The event as JSON; null if the resource is gone, so that there is nothing to tell. */
  readonly event: string | null
  /** `epoch-seq:script:callback`: the same for every attempt. */
  readonly idempotencyKey: string
  /** When the change was committed, and now, both of the store's clock. */
  readonly changedAtMs: number
  readonly leasedAtMs: number
}

export interface LeaseReport {
  readonly leases: readonly Lease[]
  /** More of the log waits to be followed. */
  readonly more: boolean
  /** How long until the next retry is due; null: none waits. */
  readonly nextRetryInMs: number | null
}

export type Outcome = 'ok' | 'threw' | 'timed-out' | 'out-of-memory' | 'crashed' | 'refused' | 'skipped'

/** What is kept of one attempt. */
export interface RunRecord {
  readonly version: string
  readonly outcome: Outcome
  /** Why it did not end `ok`: the error as JSON, or the reason for skipping. */
  readonly reason: string | null
  readonly durationMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
  /** JSON arrays. */
  readonly logs: string
  readonly hostCalls: string
}

export interface KeyValueWrite {
  readonly key: string
  /** JSON; null deletes. */
  readonly value: string | null
}

/** How a leased delivery goes on. */
export interface Settlement {
  readonly delivery: number
  readonly fence: number
  /**
   * `done`: ended, nothing more is owed. `retry`: again after `delayMs`. `dead`: set aside.
   * `release`: was not run, and costs no attempt.
   */
  readonly next: 'done' | 'retry' | 'dead' | 'release'
  readonly delayMs: number
  readonly run: RunRecord | null
  /** Written with the settlement, or not at all. */
  readonly keyValueWrites: readonly KeyValueWrite[]
}

export interface RunSummary extends RunRecord {
  readonly id: number
  readonly delivery: number
  readonly script: string
  readonly callback: string
  readonly seq: number
  readonly attempt: number
  readonly endedAtMs: number
  readonly resource: { readonly level: Level; readonly id: string }
}

export interface Backlog {
  readonly script: string
  readonly waiting: number
  readonly leased: number
  readonly dead: number
  /** Changes of the log that the cursor has not passed. */
  readonly behind: number
}
