/** The log: kinds of change, and pages of it. */
import type { Level, ParentLevel } from '../dicom/dicom.ts'

export type Trigger = 'quiet' | 'deadline' | 'forced'

export type ChangeType = `New${Level}` | 'CompletedSeries' | `Stable${ParentLevel}` | `Deleted${Level}`

export const everyChange: readonly ChangeType[] = [
  'NewPatient',
  'NewStudy',
  'NewSeries',
  'NewInstance',
  'CompletedSeries',
  'StablePatient',
  'StableStudy',
  'StableSeries',
  'DeletedPatient',
  'DeletedStudy',
  'DeletedSeries',
  'DeletedInstance',
]

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

/** How long changes are kept. Those that are still owed to a script are kept longer, within a bound. */
export interface LogRetention {
  readonly ageMs: number
  /** A script whose cursor is further behind than so many changes is not waited for. */
  readonly mostBehind: number
  /**
   * The log takes more than it may: so many of the oldest go whatever their age. Not those that somebody has not been
   * told of, and no deletions of instances, of which late arrivals are told.
   */
  readonly tooMany: number
  /** Where the last call of the sweep left off; 0: at the beginning. */
  readonly after: number
}

export interface Retired {
  readonly removed: number
  /** Where to go on; null: there is nothing more to remove. */
  readonly last: number | null
}

/** What the log takes, estimated. */
export interface LogSize {
  readonly changes: number
  readonly bytes: number
}

export interface ChangesPage {
  readonly changes: readonly Change[]
  readonly done: boolean
  /** Number of the last change of the page; of an empty page, the last number ever given. */
  readonly last: number
}
