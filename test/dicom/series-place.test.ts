import { expect, test } from 'vitest'
import { readHeader } from '../../src/dicom/dicom.ts'
import { dicomFile, type ElementValue } from '../support/dicom-files.ts'

const text = (value: string): ElementValue => ({ vr: 'IS', value })
const number = (value: number): ElementValue => ({ vr: 'US', value: [value] })

const tags = {
  InstanceNumber: 0x00200013,
  ImageIndex: 0x00541330,
  ImagesInAcquisition: 0x00201002,
  NumberOfTemporalPositions: 0x00200105,
  NumberOfSlices: 0x00540081,
  NumberOfTimeSlices: 0x00540101,
  CardiacNumberOfImages: 0x00181090,
}

function headerWith(values: Partial<Record<keyof typeof tags, ElementValue | null>>) {
  const elements = Object.fromEntries(
    Object.entries(values).map(([keyword, value]) => [tags[keyword as keyof typeof tags], value]),
  )
  return readHeader(dicomFile({ elements }))
}

test.each([
  [{ InstanceNumber: text('5') }, 5],
  [{ InstanceNumber: text(' +5 ') }, 5],
  [{ InstanceNumber: text('-5') }, -5],
  [{ InstanceNumber: text('5.0') }, null],
  [{ InstanceNumber: text('5\\6') }, null],
  [{ InstanceNumber: text(''), ImageIndex: number(4) }, null],
  [{ InstanceNumber: null, ImageIndex: number(4) }, 4],
  [{ InstanceNumber: null }, null],
  [{ InstanceNumber: text('3000000000') }, null],
])('the place in the series of %j is %j', (values, expected) => {
  expect(headerWith(values).indexInSeries).toBe(expected)
})

test.each([
  [{ ImagesInAcquisition: text('3'), NumberOfTemporalPositions: text('4') }, 12],
  [{ NumberOfSlices: number(3), NumberOfTimeSlices: number(5) }, 15],
  [{ CardiacNumberOfImages: text('9') }, 9],
  [{ ImagesInAcquisition: text('3'), CardiacNumberOfImages: text('9') }, 9],
  [
    {
      ImagesInAcquisition: text('0'),
      NumberOfTemporalPositions: text('4'),
      CardiacNumberOfImages: text('9'),
    },
    null,
  ],
  [{ ImagesInAcquisition: text('3'), NumberOfTemporalPositions: text('x') }, null],
  [{ ImagesInAcquisition: text('70000'), NumberOfTemporalPositions: text('70000') }, null],
  [{ CardiacNumberOfImages: text('-4') }, null],
  [{}, null],
])('a series with %j expects %j instances', (values, expected) => {
  expect(headerWith(values).expectedInstances).toBe(expected)
})
