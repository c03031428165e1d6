/**
 * What a client did and was told, on its own clock (`Date.now()`): the one source that the checker believes.
 */
import { createHash } from 'node:crypto'
import { dicomDataset, dicomFile, type FileFacts } from '../support/dicom-files.ts'
import type { Life } from '../support/server.ts'
import { type Ids, idsOf } from './identifiers.ts'

/** How far apart a client may notice the end of the server and that of its connection. */
const noticeMs = 250
/** How long after an outage requests may still fail for it: packets are sent again less and less often. */
const recoveryMs = 12_000

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

/** A request that a script made to the outside, as it came there. */
export interface Effect {
  readonly receivedAtMs: number
  /** The header `idempotency-key`, which the engine sets. */
  readonly header: string
  /** The same from the event, by the script. */
  readonly key: string
  readonly seq: number
  readonly study: string
  readonly revision: number
  /** How many instances the study had when it became stable. */
  readonly instances: number
}

/** The stable age of each level. */
export type AgesMs = Readonly<Record<'Patient' | 'Study' | 'Series', number>>

export interface History {
  readonly agesMs: AgesMs
  readonly uploads: Upload[]
  readonly deletions: Deletion[]
  readonly effects: Effect[]
  /** Answers that nobody should have got, and requests without one though the server lived. */
  readonly surprises: string[]
  /** Of all servers. */
  readonly lives: readonly Life[]
  /** When a server stood still; when it has others beside it, they did not. */
  readonly stops: { readonly fromMs: number; readonly toMs: number }[]
  /** When the database that several servers share was not there. */
  readonly outages: { readonly fromMs: number; readonly toMs: number }[]
  /** When one of the servers could not reach it; the others could. */
  readonly cuts: { readonly fromMs: number; readonly toMs: number }[]
  readonly hasOthers: boolean
  /** When children of the server were killed, or had stood still. */
  readonly childEndsMs: number[]
  /** What else was done to it. */
  readonly troubles: string[]
}

export function newUpload(facts: FileFacts, road: Upload['road']): Upload {
  return { facts, ids: idsOf(facts), road, attempts: [] }
}

export function newDeletion(ids: Ids): Deletion {
  return { ids, attempts: [] }
}

export function isAcknowledged(subject: { readonly attempts: readonly Attempt[] }): boolean {
  return subject.attempts.some(({ answer }) => answer !== null)
}

/** How long a resource has to be quiet: as long as each resource below it, for which it waits. */
export function quietMsOf({ Patient, Study, Series }: AgesMs, level: keyof AgesMs): number {
  if (level === 'Series') return Series
  return level === 'Study' ? Math.max(Study, Series) : Math.max(Patient, Study, Series)
}

/**
 * How long a resource has to be quiet at the least: a study of a patient may have been deleted meanwhile, and
 * then the patient no longer waits for it. That it waits for what is there is checked apart.
 */
export function leastQuietMsOf(agesMs: AgesMs, level: keyof AgesMs): number {
  return level === 'Patient' ? agesMs.Patient : quietMsOf(agesMs, level)
}

/** When a server was up, did not stand still, and had its database. */
export function upSpansOf({ lives, stops, outages }: History): { fromMs: number; toMs: number }[] {
  return lives.flatMap(({ readyAtMs, endedAtMs }) => {
    const toMs = endedAtMs ?? Date.now()
    const own = [...stops, ...outages].filter((stop) => stop.toMs > readyAtMs && stop.fromMs < toMs)
    const spans: { fromMs: number; toMs: number }[] = []
    let fromMs = readyAtMs
    for (const stop of own.sort((left, right) => left.fromMs - right.fromMs)) {
      if (stop.fromMs > fromMs) spans.push({ fromMs, toMs: stop.fromMs })
      fromMs = Math.max(fromMs, stop.toMs)
    }
    return fromMs < toMs ? [...spans, { fromMs, toMs }] : spans
  })
}

/** Whether it had no answer because the server was killed under it, or what that needs was not there. */
export function isCutOff(
  { sentAtMs, endedAtMs, answer }: Attempt,
  lives: readonly Life[],
  outages: History['outages'] = [],
): boolean {
  if (answer !== null) return false
  // A server needs a moment to find out that the database is there again.
  if (outages.some(({ fromMs, toMs }) => sentAtMs <= toMs + recoveryMs && endedAtMs >= fromMs)) return true
  return lives.some(({ endedAtMs: killedAtMs }) => {
    if (killedAtMs === null) return false
    return killedAtMs >= sentAtMs - noticeMs && killedAtMs <= endedAtMs + noticeMs
  })
}

/**
 * Between which two moments it was recorded; null if it was never acknowledged.
 * An answer that it is there already says that another try had got through, perhaps one that was cut off.
 */
export function arrivalOf({ attempts }: Upload): { fromMs: number; toMs: number } | null {
  const answered = attempts.filter(({ answer }) => answer !== null)
  if (answered.length === 0) return null
  const taken = answered.find(({ answer }) => answer === 'Success')
  return {
    fromMs: taken?.sentAtMs ?? Math.min(...attempts.map(({ sentAtMs }) => sentAtMs)),
    toMs: Math.min(...answered.map(({ endedAtMs }) => endedAtMs)),
  }
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
