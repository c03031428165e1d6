/** What the clients of a broker did and were told, on the clock of this machine. */
import { type FileFacts, uidsOf } from '../../support/dicom-files.ts'
import { type Ids, idsOf } from '../identifiers.ts'

/** An instance that was announced. */
export interface Announced {
  readonly facts: FileFacts
  readonly ids: Ids
  /** When the broker had it for certain; null: not yet. */
  confirmedAtMs: number | null
}

/** A message that came by the exchange. */
export interface Heard {
  readonly messageId: string
  readonly seq: number
  readonly type: string
  readonly id: string
  readonly trigger: string | null
}

export interface Told {
  /** By level. */
  readonly agesMs: Readonly<Record<'Patient' | 'Study' | 'Series', number>>
  readonly announced: Announced[]
  /** Of instances that were uploaded and acknowledged. */
  readonly uploaded: Ids[]
  /** Studies that were settled by a command, which was sent several times. */
  readonly settled: Ids[]
  readonly heard: Heard[]
  /** What ended, one word each. */
  readonly ended: string[]
  readonly endedAtMs: number[]
  readonly surprises: string[]
}

export function announcedOf(facts: FileFacts): Announced {
  return { facts, ids: idsOf(facts), confirmedAtMs: null }
}

/** As an archive announces it. */
export function messageOf({ facts }: Announced): string {
  const uids = uidsOf(facts)
  const tags = {
    PatientID: facts.patient,
    StudyInstanceUID: uids.study,
    SeriesInstanceUID: uids.series,
    SOPInstanceUID: uids.instance,
  }
  return JSON.stringify({ dicom: tags })
}
