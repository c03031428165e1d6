/** What arrives, and how long what it belongs to has to be quiet. */
import type { Header, ParentLevel } from '../dicom/dicom.ts'

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
