/**
 * What the index keeps of an instance that is not here, out of the values of its tags by keyword, as Orthanc's
 * `simplified-tags` has them.
 */
import { fault } from '../errors.ts'
import type { Header, Level, Tags } from './dicom.ts'
import { orthancIdentifiers } from './identifiers.ts'
import { mainTags } from './main-tags.ts'
import { expectedInstances, indexInSeries } from './series-place.ts'

/** As of a value in a DICOM file (PS3.5, section 6.2, the longest of those that identify). */
const longestIdentifier = 256

/** @throws `missing-identifier`, `bad-dicom-file` */
export function headerOfTags(told: Readonly<Record<string, unknown>>): Header {
  const tags: Record<Level, Tags> = { Patient: {}, Study: {}, Series: {}, Instance: {} }
  for (const { keyword, levels } of mainTags.values()) {
    const value = Object.hasOwn(told, keyword) ? textOf(told[keyword]) : null
    if (value !== null) for (const level of levels) tags[level][keyword] = value
  }
  const sopInstanceUid = identifier(tags.Instance, 'SOPInstanceUID')
  return {
    ids: orthancIdentifiers({
      patientId: checked('PatientID', tags.Patient.PatientID ?? ''),
      studyInstanceUid: identifier(tags.Study, 'StudyInstanceUID'),
      seriesInstanceUid: identifier(tags.Series, 'SeriesInstanceUID'),
      sopInstanceUid,
    }),
    tags: { patient: tags.Patient, study: tags.Study, series: tags.Series, instance: tags.Instance },
    sopClassUid: textOf(told.SOPClassUID) ?? '',
    sopInstanceUid,
    transferSyntaxUid: '',
    indexInSeries: indexInSeries(tags.Instance),
    expectedInstances: expectedInstances(tags.Series),
    hasPixelData: false,
  }
}

/** Up to the first zero, as in a file, and without padding. Null for what is no value of a main tag: a sequence, or nothing. */
function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return null
  return value.toWellFormed().split('\0', 1)[0]!.trim()
}

function identifier(tags: Tags, keyword: string): string {
  const value = tags[keyword]
  if (value === undefined || value === '')
    throw fault('missing-identifier', `The tags have no ${keyword}, and every instance needs one`)
  return checked(keyword, value)
}

function checked(keyword: string, value: string): string {
  if (value.length > longestIdentifier)
    throw fault('bad-dicom-file', `The ${keyword} is not text of up to ${longestIdentifier} characters`)
  return value
}
