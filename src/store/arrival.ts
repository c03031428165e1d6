/** What arrives, and how long what it belongs to has to be quiet. */
import type { Header, ParentLevel } from '../dicom/dicom.ts'

/** Where an instance came from. */
export interface Origin {
  readonly requestOrigin: 'DicomProtocol' | 'RestApi' | 'Folder' | 'Broker'
  readonly remoteIp: string
  readonly remoteAet: string
  readonly calledAet: string
  readonly username: string
  /** Idempotency key of the run that posted it; absent: no run of this server did. */
  readonly cause?: string
}

/** How long one resource has to be quiet, and how long it may wait at most (null: for ever). */
export interface Age {
  readonly ageMs: number
  readonly maxWaitMs: number | null
}

export type Ages = Readonly<Record<ParentLevel, Age>>

/** A file that is not written yet. */
export interface Content {
  readonly path: string
  readonly bytes: Uint8Array
}

/** In the place of a file's name: another archive has the bytes. Such an instance gives way to one that brings them. */
export const heldElsewhere = ''

/** One instance to be recorded. */
export interface Arrival {
  readonly header: Header
  /** Name of the file in the storage, or `heldElsewhere`. */
  readonly file: string
  readonly sizeBytes: number
  /**
   * Null: the file is written and synced. Otherwise the store writes it together with the rows, and keeps its
   * bytes until it is told that it is synced.
   */
  readonly content: Content | null
  readonly origin: Origin
  readonly ages: Ages
  /** What to do if the instance is there already: keep the old one, or delete it and record this one. */
  readonly whenHeld: 'keep' | 'replace'
}

export interface Recorded {
  /** `AlreadyStored`: nothing was changed or written, and the caller removes the file if it wrote one. */
  readonly status: 'Success' | 'AlreadyStored'
  /** Batches of unsynced files that wait to be synced: `unsyncedFiles` names them. */
  readonly unsyncedBatches: number
}

/** What the store says of an instance that is durable. */
export interface Accepted {
  /** Its rows are not there yet. Of one that was to be `known`: nobody held it, so its status will be `Success`. */
  readonly isOwed: boolean
  /**
   * Its rows are there. Rejects with `shutting-down` if the next start has to see to them, and with anything
   * else if it can have none.
   */
  readonly recorded: Promise<Recorded>
}

/** Files that the store keeps the bytes of, until it is told that they are synced. */
export interface UnsyncedFiles {
  readonly batch: number
  readonly files: readonly string[]
}

/** A file that a crash may have damaged, and its bytes. */
export interface KeptFile {
  readonly number: number
  readonly file: string
  readonly bytes: Uint8Array
}

/** A file of an instance that was durable, and could not be given rows. */
export interface UnrecordedFile {
  readonly file: string
  readonly reason: string
}
