/**
 * The contract that every store keeps: resources, windows, the log, scripts with their cursors, deliveries,
 * runs and key-value memory, in one database. Door of the folder.
 *
 * Each method is one transaction: it happens whole or not at all, and when its promise resolves it is as
 * durable as the rules say. All times are milliseconds of the store's own clock, which never goes back.
 */
import type { Level, ParentLevel } from '../dicom/dicom.ts'
import type { Accepted, Age, Arrival, KeptFile, Recorded, UnrecordedFile, UnsyncedFiles } from './arrival.ts'
import type { Announcements, Command, Commanded, LoggedChange, RelayState, RelayTurn } from './broker.ts'
import type { ChangesPage, ChangesQuery, LogRetention, LogSize, Retired } from './change.ts'
import type { Cluster } from './cluster.ts'
import type {
  Backlog,
  DeliveriesQuery,
  DeliverySummary,
  KeyValue,
  KeyValueQuery,
  Lease,
  LeaseReport,
  Replayed,
  ReplayRange,
  ScriptRow,
  ScriptVersion,
  Settlement,
  Straggler,
  Subscription,
} from './delivery.ts'
import type { Page, Removed, Resource, Statistics, TickReport, WindowState } from './resource.ts'
import type { RetiredRuns, RunRetention, RunSummary, RunsQuery, RunsSize } from './run.ts'

export type * from './arrival.ts'
export { heldElsewhere } from './arrival.ts'
export type * from './broker.ts'
export type * from './change.ts'
export { everyChange } from './change.ts'
export type * from './cluster.ts'
export type * from './delivery.ts'
export { stoppedRun } from './lost-run.ts'
export { openStore } from './open-store.ts'
export type * from './resource.ts'
export {
  nothingRan,
  type Outcome,
  outcomes,
  type RetiredRuns,
  type RunRecord,
  type RunRetention,
  type RunSummary,
  type RunsQuery,
  type RunsSize,
} from './run.ts'
export { openSqlite } from './sqlite/sqlite.ts'

/** Exclusive number of a change, or a time. */
export type ReplayStart = { readonly seq: number } | { readonly atMs: number }

export interface Store extends AsyncDisposable {
  /** Names this database for ever; part of every idempotency key. */
  readonly epoch: string
  /** Whether it writes files that are handed to it, and keeps their bytes until they are synced. */
  readonly keepsBytes: boolean
  /** The servers that share it; null: it belongs to one. */
  readonly cluster: Cluster | null

  /** The files of those of the instances that are held. */
  holds(instanceIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  /**
   * Takes one instance: durable when resolved, its bytes too. Its rows (resources, New* changes and windows) are
   * owed from then on, follow at once, and are there for whatever is asked afterwards.
   * @param until `known`: it is also certain whether the instance was held already. If it may have been, its rows are
   *   there when resolved, or it is refused
   */
  accept(arrival: Arrival, until?: 'durable' | 'known'): Promise<Accepted>
  /** Takes one instance, or refuses it; its rows are there when resolved. */
  record(arrival: Arrival): Promise<Recorded>
  /** The oldest batch of files to be synced. @param all also one that could still grow, before an end */
  unsyncedFiles(all: boolean): Promise<UnsyncedFiles | null>
  /**
   * The bytes of that batch, some at a time, numbered from after `number` on: after a sync that failed, what the
   * files show need not be on the disk, and a second one would not say so.
   */
  unsyncedBytes(batch: number, number: number): Promise<readonly KeptFile[]>
  /** The files of the batch are synced: the store forgets their bytes. */
  forgetBytes(batch: number): Promise<void>
  /** After a crash, before anything else: files to be brought back, numbered from after `number` on. */
  keptFiles(number: number): Promise<readonly KeptFile[]>
  /**
   * All kept files are back and synced: brings back the rows that a power cut took, as they were.
   * @param isThere whether a file that was synced before is there still: one that was refused is not
   * @returns files that can have no rows
   */
  restoreRows(isThere: (file: string) => Promise<boolean>): Promise<readonly UnrecordedFile[]>
  /** Fires every window that is due, and says when to come again. Durable when resolved. */
  tick(): Promise<TickReport>
  /** Fires the window of a resource and of all below it now. False: it was stable already. */
  forceStable(level: ParentLevel, id: string): Promise<boolean>
  /** Opens a window now, or starts it again. False: no such resource. */
  markUnstable(level: ParentLevel, id: string, age: Age): Promise<boolean>
  windows(limit: number): Promise<readonly WindowState[]>
  /**
   * For as long as this is called from time to time, windows of what is held elsewhere fire only when everything that
   * a broker announced while they were quiet has been taken in.
   * @param caughtUpAtMs all that was announced before has its rows; null: nothing new is known
   */
  observeAnnouncements(caughtUpAtMs: number | null): Promise<Announcements>

  changes(query: ChangesQuery): Promise<ChangesPage>
  /** Makes all changes so far invisible to `changes`; the log keeps them. */
  hideChanges(): Promise<void>
  /** In their order, numbers after `seq`, with what they tell. */
  changesAfter(seq: number, limit: number): Promise<readonly LoggedChange[]>
  /** Takes over publishing the log, or goes on with it, for so long. Null: it is another server's turn. */
  takeRelay(ttlMs: number): Promise<RelayTurn | null>
  /** All up to `cursor` was published. False: somebody has moved the cursor, or taken over. */
  advanceRelay(fence: number, cursor: number): Promise<boolean>
  /** Another server may take over at once. */
  releaseRelay(): Promise<void>
  /** Has everything after `since` published once more. @returns where it was; null: nothing was ever published */
  rewindRelay(since: number): Promise<number | null>
  relay(): Promise<RelayState | null>

  find(level: Level, id: string): Promise<Resource | null>
  list(level: Level, page: Page | null): Promise<readonly string[]>
  /** The resources of `level` below or above a resource, or null if that does not exist. */
  related(from: Level, id: string, level: Level): Promise<readonly string[] | null>
  /** Of the instances of a patient, study or series, those with numbers above `after`, up to `upTo`. */
  addedInstances(level: ParentLevel, id: string, after: number, upTo: number): Promise<readonly string[]>
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

  /** Carries out what a broker delivered, once for each id. */
  command(id: string, what: Command): Promise<Commanded>

  scripts(): Promise<readonly ScriptRow[]>
  /**
   * Puts a version of a script in force. A name never seen starts at the end of the log; a version that is
   * suspended stays so.
   */
  putScript(
    name: string,
    version: ScriptVersion,
    subscriptions: readonly Subscription[],
    /** How often `onHeartbeat` is told; null: never. */
    beatEveryMs?: number | null,
    /** How many of its runs may be at work at a time. Default: 1 */
    concurrency?: number,
  ): Promise<void>
  /** A version that is or was in force. Null: there was none with this hash. */
  scriptVersion(hash: string): Promise<ScriptVersion | null>
  parkScript(name: string): Promise<void>
  /** Forgets a parked script: how far it was told, what it is owed, and its keys. False: it is not parked, or not known. */
  forgetScript(name: string): Promise<boolean>
  /** No deliveries of this version are handed out until it is resumed, or another one is put in force. */
  suspendScript(name: string, version: string, reason: string): Promise<void>
  /** @param mostBehind how many changes it may be behind; what is before those is passed over. Default: any */
  resumeScript(name: string, mostBehind?: number): Promise<void>
  /**
   * No deliveries of the script are handed out until it is let go on; null: of none at all. False: there is no such
   * script.
   */
  pause(name: string | null): Promise<boolean>
  unpause(name: string | null): Promise<void>
  /** Since when nothing at all is handed out; null: it is. */
  pausedAll(): Promise<number | null>

  /** Follows the log for the scripts asked about, then hands out up to that many deliveries of each. */
  lease(wanted: Readonly<Record<string, number>>, ttlMs: number): Promise<LeaseReport>
  /** Per lease: false if it is no longer ours. */
  renew(leases: readonly Pick<Lease, 'delivery' | 'fence'>[], ttlMs: number): Promise<readonly boolean[]>
  /** False: the lease was lost, and nothing was changed. */
  settle(settlement: Settlement): Promise<boolean>
  /** Several together, in one transaction: all of them are committed, or none. */
  settleAll(settlements: readonly Settlement[]): Promise<readonly boolean[]>
  backlog(): Promise<readonly Backlog[]>
  deliveries(query: DeliveriesQuery): Promise<readonly DeliverySummary[]>
  /** With what it tells, as JSON. Null: there is none, or it has ended. */
  delivery(id: number): Promise<{ readonly summary: DeliverySummary; readonly event: string | null } | null>
  /** Tries a delivery now that is dead, with all its attempts, or waits for its next try. False: neither. */
  retryDelivery(id: number): Promise<boolean>
  /** The same for the dead ones, of a script or of all. @returns how many */
  retryDead(script: string | null): Promise<number>
  /** Forgets a dead delivery. False: it is not dead. */
  dropDelivery(id: number): Promise<boolean>
  dropDead(script: string | null): Promise<number>
  /** A page of them: fewer than the limit if they say much. */
  runs(query: RunsQuery): Promise<readonly RunSummary[]>
  /**
   * The numbers of runs that match: of each callback and change the last one, of those the latest up to the limit, in
   * the order of the log.
   */
  runsToReplay(query: RunsQuery): Promise<readonly number[]>
  /** With what it was told, as JSON; null if that is no longer known. Null: there is no such run. */
  run(id: number): Promise<{ readonly summary: RunSummary; readonly event: string | null } | null>
  /**
   * Tells once more what these runs were told.
   * @param original by the version that ran then
   * @param isPreview only says what would come of it
   */
  replayRuns(ids: readonly number[], original: boolean, isPreview?: boolean): Promise<Replayed>
  /** What `replaySince` would tell. Null: there is no such script. */
  replayRange(script: string, since: ReplayStart): Promise<ReplayRange | null>
  /** Tells a script once more of all changes after that number. @returns up to which; null: no such script */
  replaySince(script: string, since: number): Promise<number | null>
  /** Scripts that are further behind than so many changes. */
  stragglers(mostBehind: number): Promise<readonly Straggler[]>
  /** Removes some of the changes that are kept no longer. */
  retireChanges(retention: LogRetention): Promise<Retired>
  /** From the first change on that may go: nothing is owed of it, and it is no deletion of an instance. */
  logSize(): Promise<LogSize>
  runsSize(): Promise<RunsSize>
  /** Removes some of the runs that are kept no longer. */
  retireRuns(retention: RunRetention): Promise<RetiredRuns>

  keyValue(script: string, key: string): Promise<string | null>
  /** Bytes of all keys and values of a script. */
  keyValueBytes(script: string): Promise<number>
  /** In the order of the bytes of the keys; ends with the value with which all of them have more than `mostBytes`. */
  keyValueList(script: string, query: KeyValueQuery): Promise<readonly KeyValue[]>

  close(): Promise<void>
}
