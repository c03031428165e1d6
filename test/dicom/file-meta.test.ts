import dicomParser from 'dicom-parser'
import { expect, test } from 'vitest'
import { fileMetaInformation, readHeader } from '../../src/dicom/dicom.ts'
import { dicomDataset, dicomFile, transferSyntaxes, uidsOf } from '../support/dicom-files.ts'

const metaFor = (sourceAet: string) =>
  fileMetaInformation({
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    sopInstanceUid: uidsOf({}).instance,
    transferSyntaxUid: transferSyntaxes.explicitBigEndian,
    sourceAet,
  })

test('a dataset behind our meta information is a file that a parser of others reads', () => {
  const meta = metaFor('MODALITY')
  const parsed = dicomParser.parseDicom(
    Buffer.concat([meta, dicomDataset({ transferSyntax: 'explicitBigEndian' })]),
  )
  expect(meta.length % 2).toBe(0)
  expect(parsed.uint32('x00020000')).toBe(meta.length - 132 - 12)
  expect(parsed.string('x00020002')).toBe('1.2.840.10008.5.1.4.1.1.2')
  expect(parsed.string('x00020003')).toBe(uidsOf({}).instance)
  expect(parsed.string('x00020010')).toBe(transferSyntaxes.explicitBigEndian)
  expect(parsed.string('x00020012')).toMatch(/^2\.25\.\d+$/)
  expect(parsed.string('x00020013')).toBe('ONSTABLE')
  expect(parsed.string('x00020016')).toBe('MODALITY')
  expect(parsed.string('x00100020')).toBe('P1')
})

test('it says as much as the meta information that the sender would have written', () => {
  const file = Buffer.concat([metaFor(''), dicomDataset({ transferSyntax: 'explicitBigEndian' })])
  expect(readHeader(file)).toEqual(readHeader(dicomFile({ transferSyntax: 'explicitBigEndian' })))
})
