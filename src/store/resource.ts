/** Resources and windows as the store shows them. */
import type { ParentLevel, Tags } from '../dicom/dicom.ts'
import type { Origin } from './arrival.ts'

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
  /** It has been quiet, and only waits until what was announced before has been taken in. */
  readonly isHeld: boolean
}
