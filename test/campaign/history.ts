/**
 * What a client did and was told, on its own clock (`Date.now()`): the one source that the checker believes.
 */
import { createHash } from 'node:crypto'
import { dicomDataset, dicomFile, type FileFacts } from '../support/dicom-files.ts'
import type { Life } from '../support/server.ts'
import { type Ids, idsOf } from './identifiers.ts'

/** One try at sending an instance. `answer` is null when the connection ended before one came. */
export interface Attempt {
  readonly sentAtMs: number
  readonly endedAtMs: number
  readonly answer: string | null
}

/** One instance: over `http` the file is sent, over `dicom` its data set. */
export interface Upload {
  readonly facts: FileFacts
  readonly ids: Ids
  readonly road: 'http' | 'dicom'
  readonly attempts: Attempt[]
}

/** A request to delete a resource with all below it. */
export interface Deletion {
  readonly ids: Ids
  readonly attempts: Attempt[]
}

/** A request that a script made to the outside. */
export interface Effect {
  readonly key: string
  readonly seq: number
  readonly study: string
}

export interface History {
  readonly stableAgeMs: number
  readonly uploads: Upload[]
  readonly deletions: Deletion[]
  readonly effects: Effect[]
  /** Answers that nobody should have got, and requests without one though the server lived. */
  readonly surprises: string[]
  readonly lives: readonly Life[]
}

export function newUpload(facts: FileFacts, road: Upload['road']): Upload {
  return { facts, ids: idsOf(facts), road, attempts: [] }
}

export function isAcknowledged(subject: { readonly attempts: readonly Attempt[] }): boolean {
  return subject.attempts.some(({ answer }) => answer !== null)
}

/**
 * Between which two moments it was recorded; null if it was never acknowledged.
 * An answer that it is there already says that an earlier try, one that was cut off, had got through.
 */
export function arrivalOf({ attempts }: Upload): { fromMs: number; toMs: number } | null {
  const answered = attempts.find(({ answer }) => answer !== null)
  if (answered === undefined) return null
  if (answered.answer === 'Success') return { fromMs: answered.sentAtMs, toMs: answered.endedAtMs }
  return { fromMs: attempts[0]!.sentAtMs, toMs: answered.endedAtMs }
}

/** The digest of what has to be read back: of the file as sent, or of the data set as sent. */
export function digestOf({ facts, road }: Upload): string {
  return sha256(road === 'http' ? dicomFile(facts) : dicomDataset(facts))
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What follows the meta information of a file. */
export function datasetOf(file: Buffer): Buffer {
  return file.subarray(144 + file.readUInt32LE(140))
}
