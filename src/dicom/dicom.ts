/**
 * What the DICOM standard and Orthanc's conventions say of one instance: its levels, its identifiers,
 * and the tags that the index keeps. Door of the folder.
 */
export { fileMetaInformation, implementationClassUid, implementationVersionName } from './file-meta.ts'
export { readHeader } from './header.ts'
export { orthancIdentifiers } from './identifiers.ts'
export { folders, identifierPattern, orthancChange, orthancTime, pathOf } from './orthanc-names.ts'
export { readPart10 } from './part10.ts'
export { type SampleCounts, sampleFiles } from './sample.ts'
export { headerOfTags } from './told-header.ts'

/** The four levels, from the top. In the store a level is its place in this list. */
export const levels = ['Patient', 'Study', 'Series', 'Instance'] as const
export type Level = (typeof levels)[number]
/** The levels that can be stable or not. */
export type ParentLevel = Exclude<Level, 'Instance'>

/** Tag keyword to value, as in Orthanc's `MainDicomTags`: strings, several values joined by a backslash. */
export type Tags = Record<string, string>

/** Identifiers of an instance and its parents, as Orthanc makes them. */
export interface Identifiers {
  readonly patient: string
  readonly study: string
  readonly series: string
  readonly instance: string
}

/** All that the index keeps of one instance. */
export interface Header {
  readonly ids: Identifiers
  readonly tags: {
    readonly patient: Tags
    readonly study: Tags
    readonly series: Tags
    readonly instance: Tags
  }
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  readonly transferSyntaxUid: string
  /** Position in the series (InstanceNumber, or ImageIndex), if it is a whole number. */
  readonly indexInSeries: number | null
  /** How many instances the series says it will have, if it says so. */
  readonly expectedInstances: number | null
  readonly hasPixelData: boolean
}
