/**
 * Makes the DICOM instances that the benchmarks send: CT slices in Explicit VR Little Endian with the header
 * of a usual scanner, in as many studies and series as asked, under identifiers never used before.
 */
import { randomFillSync } from 'node:crypto'

export type SampleSize = '6 KB' | '525 KB'

export interface SampleSet {
  readonly size: SampleSize
  readonly instances: number
  readonly studies: number
  readonly seriesPerStudy: number
  /** Digits that no other set has: they make its UIDs and patients unique. */
  readonly run: number
}

export interface Sample {
  readonly sopInstanceUid: string
  /** The file as it goes over HTTP. */
  readonly file: Buffer
  /** What follows the file meta information: as it goes over DIMSE. */
  readonly dataSet: Buffer
}

export const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2'
export const explicitLittleEndian = '1.2.840.10008.1.2.1'

const pixels: Record<SampleSize, { rows: number; columns: number }> = {
  '6 KB': { rows: 40, columns: 57 },
  '525 KB': { rows: 512, columns: 512 },
}

/** The set's files, in the order in which a scanner sends them: study by study, series by series. */
export function makeSamples(set: SampleSet): Sample[] {
  const { rows, columns } = pixels[set.size]
  const pixelData = randomFillSync(Buffer.alloc(rows * columns * 2))
  const perStudy = Math.ceil(set.instances / set.studies)
  const perSeries = Math.ceil(perStudy / set.seriesPerStudy)
  return Array.from({ length: set.instances }, (_, index) => {
    const study = Math.floor(index / perStudy)
    const series = Math.floor((index % perStudy) / perSeries)
    return makeInstance(set, { study, series, number: (index % perStudy) % perSeries }, pixelData)
  })
}

interface Place {
  readonly study: number
  readonly series: number
  readonly number: number
}

function makeInstance(set: SampleSet, place: Place, pixelData: Buffer): Sample {
  const { rows, columns } = pixels[set.size]
  const studyUid = `1.2.826.0.1.3680043.10.1357.${set.run}.${place.study + 1}`
  const seriesUid = `${studyUid}.${place.series + 1}`
  const sopInstanceUid = `${seriesUid}.${place.number + 1}`
  const meta = Buffer.concat([
    element(0x0002_0001, 'OB', Buffer.from([0, 1])),
    element(0x0002_0002, 'UI', ctImageStorage),
    element(0x0002_0003, 'UI', sopInstanceUid),
    element(0x0002_0010, 'UI', explicitLittleEndian),
    element(0x0002_0012, 'UI', '1.2.826.0.1.3680043.10.1357'),
  ])
  const head = Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(0x0002_0000, 'UL', unsigned32(meta.length)),
    meta,
  ])
  const dataElements = Buffer.concat([
    element(0x0008_0005, 'CS', 'ISO_IR 100'),
    element(0x0008_0008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'),
    element(0x0008_0012, 'DA', '20260102'),
    element(0x0008_0013, 'TM', '101112'),
    element(0x0008_0016, 'UI', ctImageStorage),
    element(0x0008_0018, 'UI', sopInstanceUid),
    element(0x0008_0020, 'DA', '20260102'),
    element(0x0008_0021, 'DA', '20260102'),
    element(0x0008_0022, 'DA', '20260102'),
    element(0x0008_0030, 'TM', '100000'),
    element(0x0008_0031, 'TM', '100500'),
    element(0x0008_0050, 'SH', `A${set.run}`),
    element(0x0008_0060, 'CS', 'CT'),
    element(0x0008_0070, 'LO', 'Example Scanners'),
    element(0x0008_0080, 'LO', 'Example Hospital'),
    element(0x0008_0090, 'PN', 'Referring^Physician'),
    element(0x0008_1010, 'SH', 'STATION1'),
    element(0x0008_1030, 'LO', 'Chest and abdomen'),
    element(0x0008_103e, 'LO', `Axial ${place.series + 1}`),
    element(0x0008_1070, 'PN', 'Operator^One'),
    element(0x0008_1090, 'LO', 'Model 64'),
    element(0x0010_0010, 'PN', `Sample^Number ${place.study + 1}`),
    element(0x0010_0020, 'LO', `BENCH-${set.run}-${place.study + 1}`),
    element(0x0010_0030, 'DA', '19700101'),
    element(0x0010_0040, 'CS', 'O'),
    element(0x0018_0015, 'CS', 'CHEST'),
    element(0x0018_0050, 'DS', '1.25'),
    element(0x0018_0060, 'DS', '120'),
    element(0x0018_1030, 'LO', 'Protocol 7'),
    element(0x0018_1151, 'IS', '250'),
    element(0x0018_1210, 'SH', 'B30f'),
    element(0x0018_5100, 'CS', 'HFS'),
    element(0x0020_000d, 'UI', studyUid),
    element(0x0020_000e, 'UI', seriesUid),
    element(0x0020_0010, 'SH', String(place.study + 1)),
    element(0x0020_0011, 'IS', String(place.series + 1)),
    element(0x0020_0012, 'IS', '1'),
    element(0x0020_0013, 'IS', String(place.number + 1)),
    element(0x0020_0032, 'DS', `-170\\-170\\${place.number}`),
    element(0x0020_0037, 'DS', '1\\0\\0\\0\\1\\0'),
    element(0x0020_0052, 'UI', `${studyUid}.99`),
    element(0x0020_1041, 'DS', String(place.number)),
    element(0x0028_0002, 'US', unsigned16(1)),
    element(0x0028_0004, 'CS', 'MONOCHROME2'),
    element(0x0028_0010, 'US', unsigned16(rows)),
    element(0x0028_0011, 'US', unsigned16(columns)),
    element(0x0028_0030, 'DS', '0.66\\0.66'),
    element(0x0028_0100, 'US', unsigned16(16)),
    element(0x0028_0101, 'US', unsigned16(16)),
    element(0x0028_0102, 'US', unsigned16(15)),
    element(0x0028_0103, 'US', unsigned16(0)),
    element(0x0028_1050, 'DS', '40'),
    element(0x0028_1051, 'DS', '400'),
    element(0x0028_1052, 'DS', '-1024'),
    element(0x0028_1053, 'DS', '1'),
    element(0x7fe0_0010, 'OW', pixelData),
  ])
  const file = Buffer.concat([head, dataElements])
  return { sopInstanceUid, file, dataSet: file.subarray(head.length) }
}

/** PS3.5 7.1.2: a data element with explicit VR; values are padded to even length, UIDs and bytes with NUL. */
function element(tag: number, vr: string, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  const padding = bytes.length % 2 === 0 ? '' : vr === 'UI' || vr === 'OB' ? '\0' : ' '
  const length = bytes.length + padding.length
  const isLong = vr === 'OB' || vr === 'OW'
  const head = Buffer.alloc(isLong ? 12 : 8)
  head.writeUInt16LE(tag >>> 16, 0)
  head.writeUInt16LE(tag & 0xffff, 2)
  head.write(vr, 4, 'latin1')
  if (isLong) head.writeUInt32LE(length, 8)
  else head.writeUInt16LE(length, 6)
  return Buffer.concat([head, bytes, Buffer.from(padding)])
}

function unsigned16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function unsigned32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
