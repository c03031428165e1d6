/**
 * The road of an arrival into PostgreSQL: what came while the last statement was under way goes with the next, which is
 * committed, and durable, when it answers.
 */
import type { Arrival, Recorded } from '../store.ts'
import type { Session } from './session.ts'

const mostTogether = 200

interface Waiting {
  readonly arrival: Arrival
  resolve(status: Recorded['status']): void
  reject(error: unknown): void
}

export class Recording {
  readonly #session: Session
  #waiting: Waiting[] = []
  #underway: Promise<void> | null = null

  constructor(session: Session) {
    this.#session = session
  }

  record(arrival: Arrival): Promise<Recorded['status']> {
    const { promise, resolve, reject } = Promise.withResolvers<Recorded['status']>()
    this.#waiting.push({ arrival, resolve, reject })
    this.#underway ??= this.#writeAll()
    return promise
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    await this.#underway
  }

  async #writeAll(): Promise<void> {
    // What else came in this turn of the event loop goes along.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      try {
        await this.#write(batch)
      } catch (error) {
        if (batch.length === 1) batch[0]!.reject(error)
        else await this.#writeOneByOne(batch)
      }
    }
    this.#underway = null
  }

  /** An instance that comes twice has to wait for the next. */
  #takeBatch(): Waiting[] {
    const ids = new Set<string>()
    const batch: Waiting[] = []
    const left: Waiting[] = []
    for (const waiting of this.#waiting) {
      const { instance } = waiting.arrival.header.ids
      if (batch.length === mostTogether || ids.has(instance)) left.push(waiting)
      else batch.push(waiting)
      ids.add(instance)
    }
    this.#waiting = left
    return batch
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const rows = JSON.stringify(batch.map(({ arrival }, at) => rowOf(arrival, at + 1)))
    const { connections, nowMs } = this.#session
    const stored = new Set(await connections.value<number[]>('record', nowMs(), rows))
    for (const [at, { resolve }] of batch.entries()) resolve(stored.has(at + 1) ? 'Success' : 'AlreadyStored')
  }

  /** So that one that is refused refuses no other. */
  async #writeOneByOne(batch: readonly Waiting[]): Promise<void> {
    for (const waiting of batch) await this.#write([waiting]).catch(waiting.reject)
  }
}

function rowOf({ header, file, sizeBytes, origin, ages, whenHeld }: Arrival, ord: number): object {
  const { ids, tags } = header
  return {
    ord,
    instance_id: ids.instance,
    series_id: ids.series,
    study_id: ids.study,
    patient_id: ids.patient,
    instance_tags: tags.instance,
    series_tags: tags.series,
    study_tags: tags.study,
    patient_tags: tags.patient,
    modality: storable(tags.series.Modality) ?? null,
    dicom_patient_id: storable(tags.patient.PatientID) ?? '',
    accession_number: storable(tags.study.AccessionNumber) ?? '',
    expected: header.expectedInstances,
    place: header.indexInSeries,
    sop_class: header.sopClassUid,
    transfer_syntax: header.transferSyntaxUid,
    file,
    size_bytes: sizeBytes,
    origin: JSON.stringify(origin),
    when_held: whenHeld,
    patient_age_ms: ages.Patient.ageMs,
    patient_max_wait_ms: ages.Patient.maxWaitMs,
    study_age_ms: ages.Study.ageMs,
    study_max_wait_ms: ages.Study.maxWaitMs,
    series_age_ms: ages.Series.ageMs,
    series_max_wait_ms: ages.Series.maxWaitMs,
  }
}

/** PostgreSQL has no text with a zero in it. */
const storable = (text: string | undefined): string | undefined => text?.replaceAll('\0', '')
