/** Identifiers as Orthanc makes them, so that its clients and URLs keep their meaning. */
import { hash } from 'node:crypto'
import type { Identifiers } from './dicom.ts'

/** The values that identify an instance, as the file gives them. */
export interface IdentifyingValues {
  readonly patientId: string
  readonly studyInstanceUid: string
  readonly seriesInstanceUid: string
  readonly sopInstanceUid: string
}

/** SHA-1 of the values joined by `|`, in five groups of eight hexadecimal digits. */
export function orthancIdentifiers(values: IdentifyingValues): Identifiers {
  const study = `${values.patientId}|${values.studyInstanceUid}`
  const series = `${study}|${values.seriesInstanceUid}`
  return {
    patient: identifierOf(values.patientId),
    study: identifierOf(study),
    series: identifierOf(series),
    instance: identifierOf(`${series}|${values.sopInstanceUid}`),
  }
}

function identifierOf(text: string): string {
  const digest = hash('sha1', text, 'hex')
  return `${digest.slice(0, 8)}-${digest.slice(8, 16)}-${digest.slice(16, 24)}-${digest.slice(24, 32)}-${digest.slice(32)}`
}
