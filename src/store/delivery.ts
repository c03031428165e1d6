/** Scripts, the deliveries owed to their callbacks, and how those are settled. */
import type { Level } from '../dicom/dicom.ts'
import type { ChangeType } from './change.ts'
import type { RunRecord } from './run.ts'

/** A version of a script: what was compiled, under the hash of its content. */
export interface ScriptVersion {
  readonly hash: string
  readonly code: string
  readonly sourceMap: string
}

/** What a script's deliveries are kept in order by: all about one of these wait for one another; `none`: none do. */
export type KeyChoice = 'patient' | 'study' | 'series' | 'resource' | 'none'

/** Which changes go to which callback of a script. */
export interface Subscription {
  readonly type: ChangeType
  readonly callback: string
  /** Default `study`. */
  readonly key?: KeyChoice
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
  /** Since when its deliveries wait because somebody wants that; null: they do not. */
  readonly pausedAtMs: number | null
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
  /** Null: it is about none. */
  readonly resource: { readonly level: Level; readonly id: string } | null
  /** The event as JSON; null if the resource is gone, so that there is nothing to tell. */
  readonly event: string | null
  /** The event is what the log tells whoever is told of the change first, so its run need not keep it. */
  readonly isAsLogged: boolean
  /** `epoch-seq:script:callback`: the same for every attempt. */
  readonly idempotencyKey: string
  /** The version that is to run, whichever is in force; null: that one. */
  readonly version: string | null
  /** Of a Stable* change. */
  readonly late: Late | null
  /** When the change was committed, and now, both of the store's clock. */
  readonly changedAtMs: number
  readonly leasedAtMs: number
}

/** What a Stable* change is to a callback that may have been told of the resource before. */
export interface Late {
  readonly revision: number
  /** The last revision that the callback finished; 0: none. */
  readonly sinceRevision: number
  /** Instances with numbers above the first, up to the second, were added since. */
  readonly addedAfter: number
  readonly addedUpTo: number
  readonly addedCount: number
  readonly removedCount: number
}

export interface LeaseReport {
  readonly leases: readonly Lease[]
  /** More of the log waits to be followed. */
  readonly more: boolean
  /** How long until the next retry is due; null: none waits. */
  readonly nextRetryInMs: number | null
}

export interface KeyValue {
  readonly key: string
  /** JSON. */
  readonly value: string
}

export interface KeyValueQuery {
  readonly prefix: string
  /** Only keys after this one; empty: all. */
  readonly after: string
  readonly limit: number
  /** Of the values together. */
  readonly mostBytes: number
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

/** A script that is so far behind that the log is not kept for it. */
export interface Straggler {
  readonly name: string
  readonly version: string
  readonly behind: number
}

export interface Backlog {
  readonly script: string
  readonly waiting: number
  readonly leased: number
  readonly dead: number
  /** Changes of the log that the cursor has not passed. */
  readonly behind: number
}

/** Why a delivery is not being run: nobody may run it, it is tried again later, or others come before it. */
export type WaitsFor = 'script' | 'suspended' | 'paused' | 'backoff' | 'key' | 'turn'

export interface DeliverySummary {
  readonly id: number
  readonly script: string
  readonly callback: string
  readonly seq: number
  readonly change: ChangeType | null
  readonly resource: { readonly level: Level; readonly id: string } | null
  readonly key: string
  readonly state: 'waiting' | 'leased' | 'dead'
  /** Tries so far. */
  readonly attempt: number
  /** How often it was replayed before. */
  readonly replay: number
  readonly version: string | null
  readonly waitsFor: WaitsFor | null
  /** The delivery of the same key that is before it. */
  readonly behind: number | null
  /** When it may be run. */
  readonly runAtMs: number
  /** When it was set aside. */
  readonly diedAtMs: number | null
  /** Of the last try: the error as JSON. */
  readonly reason: string | null
}

export interface DeliveriesQuery {
  readonly script?: string
  readonly state?: DeliverySummary['state']
  /** Exclusive; the oldest come first. */
  readonly after?: number
  readonly limit: number
}

/** Changes that a script is to be told once more. */
export interface ReplayRange {
  /** How many of them it wants to be told and is not owed already. */
  readonly deliveries: number
  /** How many it is owed already, which are told once. */
  readonly waiting: number
  /** Exclusive, inclusive. */
  readonly since: number
  readonly until: number
}

/** What became of runs that were to be replayed. */
export interface Replayed {
  readonly replayed: number
  /** It is owed already. */
  readonly waiting: number
  /** The change or the script is no longer known. */
  readonly gone: number
}
