/**
 * The contract that every store keeps: resources, windows, the log, scripts with their cursors, deliveries,
 * runs and key-value memory, in one database. Door of the folder.
 *
 * Each method is one transaction: it happens whole or not at all, and when its promise resolves it is as
 * durable as the rules say. All times are milliseconds of the store's own clock, which never goes back.
 */
import type { Header, Identifiers, Level, ParentLevel, Tags } from '../dicom/dicom.ts'

export { openSqlite } from './sqlite/sqlite.ts'

/** Where an instance came from. */
export interface Origin {
  readonly requestOrigin: 'DicomProtocol' | 'RestApi' | 'Folder'
  readonly remoteIp: string
  readonly remoteAet: string
  readonly calledAet: string
  readonly username: string
}

/** How long one resource has to be quiet, and how long it may wait at most (null: for ever). */
export interface Age {
  readonly ageMs: number
  readonly maxWaitMs: number | null
}
export type Ages = Readonly<Record<ParentLevel, Age>>

/** One instance whose file is already durable, to be recorded. */
export interface Arrival {
  readonly header: Header
  /** Name of the file in the storage. */
  readonly file: string
  readonly sizeBytes: number
  readonly origin: Origin
  readonly ages: Ages
  /** What to do if the instance is there already: keep the old one, or delete it and record this one. */
  readonly whenHeld: 'keep' | 'replace'
}

export interface Recorded {
  /** `AlreadyStored`: nothing was changed, and the caller removes the file that it wrote. */
  readonly status: 'Success' | 'AlreadyStored'
}

export type Trigger = 'quiet' | 'deadline' | 'forced'
export type ChangeType = `New${Level}` | 'CompletedSeries' | `Stable${ParentLevel}` | `Deleted${Level}`

/** A row of the log. */
export interface Change {
  readonly seq: number
  readonly type: ChangeType
  readonly level: Level
  readonly id: string
  readonly atMs: number
}

export interface ChangesQuery {
  /** Exclusive. */
  readonly since?: number
  /** Inclusive. With `to` and no `since`, the page is the last `limit` changes up to it. */
  readonly to?: number
  readonly limit: number
  /** Only the very last change. */
  readonly last?: boolean
  /** Only these types; without it, everything but the deletions. */
  readonly types?: readonly ChangeType[]
}

export interface ChangesPage {
  readonly changes: readonly Change[]
  readonly done: boolean
  /** Number of the last change of the page; of an empty page, the last number ever given. */
  readonly last: number
}

/** A patient, study or series as the index holds it. */
export interface ParentResource {
  readonly level: ParentLevel
  readonly id: string
  readonly parent: string | null
  readonly children: readonly string[]
  readonly tags: Tags
  /** A study also says its patient's tags. */
  readonly patientTags: Tags | null
  readonly isStable: boolean
  readonly revision: number
  readonly updatedAtMs: number
  /** Series only. */
  readonly expectedInstances: number | null
  /** Series only: the places of its instances, null where one has none. */
  readonly indexes: readonly (number | null)[]
}

export interface InstanceResource {
  readonly level: 'Instance'
  readonly id: string
  readonly parent: string
  readonly tags: Tags
  readonly file: string
  readonly sizeBytes: number
  readonly indexInSeries: number | null
  readonly transferSyntaxUid: string
  readonly sopClassUid: string
  readonly receivedAtMs: number
  readonly origin: Origin
}

export type Resource = ParentResource | InstanceResource

export interface Page {
  readonly since: number
  readonly limit: number
}

export interface Removed {
  /** The closest parent that is still there. */
  readonly remainingAncestor: { readonly level: ParentLevel; readonly id: string } | null
}

export interface Statistics {
  readonly patients: number
  readonly studies: number
  readonly series: number
  readonly instances: number
  readonly totalBytes: number
}

export interface TickReport {
  readonly fired: number
  /** How long until the earliest window is due; null: no window is open. */
  readonly nextCheckInMs: number | null
}

/** A waiting window, as an administrator sees it. */
export interface WindowState {
  readonly level: ParentLevel
  readonly id: string
  readonly openedAtMs: number
  readonly lastAtMs: number
  readonly dueInMs: number
}

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
  /** `active`: served. `parked`: its file is gone; what it is owed waits for the file to come back. */
  readonly state: 'active' | 'parked'
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

export interface Store extends AsyncDisposable {
  /** Names this database for ever; part of every idempotency key. */
  readonly epoch: string

  /** The files of those of the instances that are held. */
  holds(instanceIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Records one instance: resources, New* changes and windows. Durable when resolved. */
  record(arrival: Arrival): Promise<Recorded>
  /** Fires every window that is due, and says when to come again. Durable when resolved. */
  tick(): Promise<TickReport>
  /** Fires the window of a resource and of all below it now. False: it was stable already. */
  forceStable(level: ParentLevel, id: string): Promise<boolean>
  /** Opens a window now, or starts it again. False: no such resource. */
  markUnstable(level: ParentLevel, id: string, age: Age): Promise<boolean>
  windows(limit: number): Promise<readonly WindowState[]>

  changes(query: ChangesQuery): Promise<ChangesPage>
  /** Makes all changes so far invisible to `changes`; the log keeps them. */
  hideChanges(): Promise<void>

  find(level: Level, id: string): Promise<Resource | null>
  list(level: Level, page: Page | null): Promise<readonly string[]>
  /** The resources of `level` below or above a resource, or null if that does not exist. */
  related(from: Level, id: string, level: Level): Promise<readonly string[] | null>
  /** Several resources at once, in the order of the ids; those that are gone are left out. */
  findAll(level: Level, ids: readonly string[]): Promise<readonly Resource[]>
  /** Deletes a resource, all below it, and the parents that this leaves empty. Null: no such resource. */
  remove(level: Level, id: string): Promise<Removed | null>
  statistics(): Promise<Statistics>
  /** Files of which no row is left; each is to be unlinked and then forgotten. */
  trash(limit: number): Promise<readonly string[]>
  forgetTrash(files: readonly string[]): Promise<void>
  /** Of these storage files, those that no row names. */
  orphans(files: readonly string[]): Promise<readonly string[]>

  scripts(): Promise<readonly ScriptRow[]>
  /** Puts a version of a script in force. A name never seen starts at the end of the log. */
  putScript(name: string, version: ScriptVersion, subscriptions: readonly Subscription[]): Promise<void>
  parkScript(name: string): Promise<void>

  /** Follows the log for the scripts asked about, then hands out up to that many deliveries of each. */
  lease(wanted: Readonly<Record<string, number>>, ttlMs: number): Promise<LeaseReport>
  /** Per lease: false if it is no longer ours. */
  renew(leases: readonly Pick<Lease, 'delivery' | 'fence'>[], ttlMs: number): Promise<readonly boolean[]>
  /** False: the lease was lost, and nothing was changed. */
  settle(settlement: Settlement): Promise<boolean>
  backlog(): Promise<readonly Backlog[]>
  runs(query: { script?: string; limit: number }): Promise<readonly RunSummary[]>

  keyValue(script: string, key: string): Promise<string | null>
  keyValueList(
    script: string,
    prefix: string,
    limit: number,
  ): Promise<readonly { key: string; value: string }[]>

  close(): Promise<void>
}

export interface LeaseReport {
  readonly leases: readonly Lease[]
  /** More of the log waits to be followed. */
  readonly more: boolean
  /** How long until the next retry is due; null: none waits. */
  readonly nextRetryInMs: number | null
}

export type { Header, Identifiers, Level, ParentLevel, Tags }
