/** Makes small, valid DICOM files of patients that do not exist, for trying the product out. */
import { createHash } from 'node:crypto'
import { fileMetaInformation } from './file-meta.ts'

export interface SampleCounts {
  readonly studies: number
  /** In each study. */
  readonly series: number
  /** In each series. */
  readonly instances: number
}

export interface SampleFile {
  /** Relative, such as `study-1/series-1/instance-1.dcm`. */
  readonly path: string
  readonly bytes: Buffer
}

const mrImageStorage = '1.2.840.10008.5.1.4.1.1.4'
const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2'
const explicitLittleEndian = '1.2.840.10008.1.2.1'
const size = 64

/** Every study is of a patient of its own. The same seed gives the same files. */
export function* sampleFiles(counts: SampleCounts, seed: string): Generator<SampleFile> {
  for (let study = 1; study <= counts.studies; study++) {
    for (let series = 1; series <= counts.series; series++) {
      for (let instance = 1; instance <= counts.instances; instance++) {
        yield {
          path: `study-${study}/series-${series}/instance-${instance}.dcm`,
          bytes: sampleFile({ seed, study, series, instance }),
        }
      }
    }
  }
}

interface Place {
  readonly seed: string
  readonly study: number
  readonly series: number
  readonly instance: number
}

function sampleFile({ seed, study, series, instance }: Place): Buffer {
  const isCt = study % 2 === 1
  const sopClassUid = isCt ? ctImageStorage : mrImageStorage
  const sopInstanceUid = uidOf(seed, study, series, instance)
  const meta = { sopClassUid, sopInstanceUid, transferSyntaxUid: explicitLittleEndian, sourceAet: '' }
  return Buffer.concat([
    fileMetaInformation(meta),
    text(0x0008, 0x0005, 'CS', 'ISO_IR 192'),
    text(0x0008, 0x0016, 'UI', sopClassUid),
    text(0x0008, 0x0018, 'UI', sopInstanceUid),
    text(0x0008, 0x0020, 'DA', '20260101'),
    text(0x0008, 0x0030, 'TM', '120000'),
    text(0x0008, 0x0050, 'SH', `SAMPLE-${seed.slice(0, 4)}-${study}`),
    text(0x0008, 0x0060, 'CS', isCt ? 'CT' : 'MR'),
    text(0x0008, 0x0070, 'LO', 'OnStable'),
    text(0x0008, 0x0090, 'PN', ''),
    text(0x0008, 0x1030, 'LO', `Sample study ${study}`),
    text(0x0008, 0x103e, 'LO', `Sample series ${series}`),
    text(0x0010, 0x0010, 'PN', `Sample^${seed.slice(0, 4)}^${study}`),
    text(0x0010, 0x0020, 'LO', `SAMPLE-${seed.slice(0, 8)}-${study}`),
    text(0x0010, 0x0030, 'DA', ''),
    text(0x0010, 0x0040, 'CS', 'O'),
    text(0x0020, 0x000d, 'UI', uidOf(seed, study)),
    text(0x0020, 0x000e, 'UI', uidOf(seed, study, series)),
    text(0x0020, 0x0010, 'SH', String(study)),
    text(0x0020, 0x0011, 'IS', String(series)),
    text(0x0020, 0x0013, 'IS', String(instance)),
    short(0x0028, 0x0002, 1),
    text(0x0028, 0x0004, 'CS', 'MONOCHROME2'),
    short(0x0028, 0x0010, size),
    short(0x0028, 0x0011, size),
    short(0x0028, 0x0100, 8),
    short(0x0028, 0x0101, 8),
    short(0x0028, 0x0102, 7),
    short(0x0028, 0x0103, 0),
    pixels(instance),
  ])
}

/** A UID made from a hash (PS3.5, B.2). */
function uidOf(...names: (string | number)[]): string {
  const digits = createHash('sha256').update(names.join('/')).digest('hex').slice(0, 30)
  return `2.25.${BigInt(`0x${digits}`)}`
}

function text(group: number, number: number, vr: string, value: string): Buffer {
  const padded = value.length % 2 === 0 ? value : value + (vr === 'UI' ? '\0' : ' ')
  return element(group, number, vr, Buffer.from(padded, 'latin1'))
}

function short(group: number, number: number, value: number): Buffer {
  return element(group, number, 'US', Buffer.from([value & 0xff, value >> 8]))
}

function element(group: number, number: number, vr: string, value: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16LE(group, 0)
  header.writeUInt16LE(number, 2)
  header.write(vr, 4, 'latin1')
  header.writeUInt16LE(value.length, 6)
  return Buffer.concat([header, value])
}

/** A disc that moves down from instance to instance. */
function pixels(instance: number): Buffer {
  const image = Buffer.alloc(size * size)
  const middle = (instance * 5) % size
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const distance = Math.hypot(row - middle, column - size / 2)
      image[row * size + column] = Math.max(0, 255 - Math.round(distance * 12))
    }
  }
  // OB has the long form: two reserved bytes, four of length.
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0, 0, 0, 0])
  header.writeUInt32LE(image.length, 8)
  return Buffer.concat([header, image])
}
