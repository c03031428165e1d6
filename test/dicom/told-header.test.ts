import { expect, test } from 'vitest'
import { headerOfTags, readHeader } from '../../src/dicom/dicom.ts'
import { dicomFile, uidsOf } from '../support/dicom-files.ts'

const uids = uidsOf({})
const identifying = {
  PatientID: 'P1',
  StudyInstanceUID: uids.study,
  SeriesInstanceUID: uids.series,
  SOPInstanceUID: uids.instance,
}

test('an instance that is told has the identifiers and the tags of its file', () => {
  const file = readHeader(dicomFile({ place: 3 }))
  const { patient, study, series, instance } = file.tags
  const told = headerOfTags({ ...patient, ...study, ...series, ...instance, SOPClassUID: file.sopClassUid })
  expect(told).toEqual({ ...file, transferSyntaxUid: '', hasPixelData: false })
})

test('padding does not count, and what is no value is left out', () => {
  const padded = Object.fromEntries(Object.entries(identifying).map(([tag, value]) => [tag, `${value}\0 `]))
  const { ids, tags } = headerOfTags({ ...padded, Modality: null, SeriesDescription: [{}], SeriesNumber: 4 })
  expect(ids).toEqual(headerOfTags(identifying).ids)
  expect(tags.series).toEqual({ SeriesInstanceUID: uids.series, SeriesNumber: '4' })
})

test('without a patient ID it belongs to the patient without one, as a file does', () => {
  const { PatientID: _, ...rest } = identifying
  const file = readHeader(dicomFile({ elements: { 1048608: null } }))
  expect(headerOfTags(rest).ids).toEqual(file.ids)
})

test('a half of a character is none', () => {
  expect(headerOfTags({ ...identifying, Modality: 'C\ud800' }).tags.series.Modality).toBe('C\ufffd')
})

test.each(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'])(
  'one without %s is refused',
  (keyword) => {
    expect(() => headerOfTags({ ...identifying, [keyword]: undefined })).toThrow(`no ${keyword}`)
  },
)
