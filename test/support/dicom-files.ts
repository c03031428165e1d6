/**
 * Makes small valid DICOM files, by code of its own that shares nothing with the engine.
 * Run as `node test/support/dicom-files.ts FOLDER`, it writes two studies of one patient to a folder.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'

export const transferSyntaxes = {
  implicitLittleEndian: '1.2.840.10008.1.2',
  explicitLittleEndian: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  explicitBigEndian: '1.2.840.10008.1.2.2',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
  jpegLossless: '1.2.840.10008.1.2.4.70',
  jpeg2000: '1.2.840.10008.1.2.4.90',
  rle: '1.2.840.10008.1.2.5',
} as const
export type TransferSyntaxName = keyof typeof transferSyntaxes

/** One more element, or another value for one: its bytes, or text, or binary numbers. */
export interface ElementValue {
  readonly vr: string
  readonly value: string | Uint8Array | readonly number[]
}

export interface FileFacts {
  /** PatientID; the UIDs are made from the four names. */
  readonly patient?: string
  readonly study?: string
  readonly series?: string
  readonly instance?: string
  readonly patientName?: string
  readonly modality?: string
  /** InstanceNumber. */
  readonly place?: number
  readonly transferSyntax?: TransferSyntaxName
  /** Size of the pixel data; 0: none. */
  readonly pixelBytes?: number
  /** By tag, such as 0x00081030; null leaves the element out. */
  readonly elements?: Readonly<Record<number, ElementValue | null>>
}

/** UIDs of a file with these facts. */
export function uidsOf(facts: FileFacts) {
  const { patient = 'P1', study = 'S1', series = 'A', instance = '1' } = facts
  return {
    study: uidFor(`${patient}/${study}`),
    series: uidFor(`${patient}/${study}/${series}`),
    instance: uidFor(`${patient}/${study}/${series}/${instance}`),
  }
}

/** A DICOM file; the same facts give the same bytes. */
export function dicomFile(facts: FileFacts = {}): Buffer {
  const transferSyntax = facts.transferSyntax ?? 'explicitLittleEndian'
  const dataset = dicomDataset(facts)
  const meta = encode(
    {
      131073: { vr: 'OB', value: Buffer.from([0, 1]) },
      131074: { vr: 'UI', value: ctImageStorage },
      131075: { vr: 'UI', value: uidsOf(facts).instance },
      131088: { vr: 'UI', value: transferSyntaxes[transferSyntax] },
      131090: { vr: 'UI', value: '1.2.3.4' },
    },
    'explicitLittleEndian',
  )
  const groupLength = encode({ 131072: { vr: 'UL', value: [meta.length] } }, 'explicitLittleEndian')
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), groupLength, meta, dataset])
}

/** What follows the meta information, as it goes over the network. */
export function dicomDataset(facts: FileFacts = {}): Buffer {
  const transferSyntax = facts.transferSyntax ?? 'explicitLittleEndian'
  const { patient = 'P1', modality = 'CT', pixelBytes = 512 } = facts
  const uids = uidsOf(facts)
  const elements: Record<number, ElementValue | null> = {
    524293: { vr: 'CS', value: 'ISO_IR 192' },
    524310: { vr: 'UI', value: ctImageStorage },
    524312: { vr: 'UI', value: uids.instance },
    524320: { vr: 'DA', value: '20260314' },
    524336: { vr: 'TM', value: '092653' },
    524368: { vr: 'SH', value: `ACC-${facts.study ?? 'S1'}` },
    524384: { vr: 'CS', value: modality },
    524432: { vr: 'PN', value: '' },
    528432: { vr: 'LO', value: `Study ${facts.study ?? 'S1'}` },
    528446: { vr: 'LO', value: `Series ${facts.series ?? 'A'}` },
    1048592: { vr: 'PN', value: facts.patientName ?? `Test^${patient}` },
    1048608: { vr: 'LO', value: patient },
    1048624: { vr: 'DA', value: '19700101' },
    1048640: { vr: 'CS', value: 'O' },
    2097165: { vr: 'UI', value: uids.study },
    2097166: { vr: 'UI', value: uids.series },
    2097168: { vr: 'SH', value: facts.study ?? 'S1' },
    2097169: { vr: 'IS', value: '1' },
    2097171: { vr: 'IS', value: String(facts.place ?? (Number(facts.instance ?? '1') || 1)) },
    ...(pixelBytes > 0 && imageElements(pixelBytes)),
    ...facts.elements,
  }
  const start = encode(elements, transferSyntax)
  const dataset = Buffer.concat([
    start,
    pixelBytes > 0 ? pixelData(pixelBytes, transferSyntax) : Buffer.alloc(0),
  ])
  return transferSyntax === 'deflated' ? deflateRawSync(dataset) : dataset
}

const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2'

function uidFor(name: string): string {
  return `2.25.${BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 30)}`)}`
}

function imageElements(pixelBytes: number): Record<number, ElementValue> {
  return {
    2621442: { vr: 'US', value: [1] },
    2621444: { vr: 'CS', value: 'MONOCHROME2' },
    2621456: { vr: 'US', value: [1] },
    2621457: { vr: 'US', value: [pixelBytes & 0xffff] },
    2621696: { vr: 'US', value: [8] },
    2621697: { vr: 'US', value: [8] },
    2621698: { vr: 'US', value: [7] },
    2621699: { vr: 'US', value: [0] },
  }
}

function encode(elements: Record<number, ElementValue | null>, transferSyntax: TransferSyntaxName): Buffer {
  const tags = Object.keys(elements)
    .map(Number)
    .sort((left, right) => left - right)
  return Buffer.concat(
    tags.flatMap((tag) => {
      const element = elements[tag]
      return element ? [encodeElement(tag, element, transferSyntax)] : []
    }),
  )
}

function encodeElement(tag: number, { vr, value }: ElementValue, transferSyntax: TransferSyntaxName): Buffer {
  const bytes = encodeValue(vr, value, transferSyntax === 'explicitBigEndian')
  return Buffer.concat([elementHeader(tag, vr, bytes.length, transferSyntax), bytes])
}

function elementHeader(tag: number, vr: string, length: number, transferSyntax: TransferSyntaxName): Buffer {
  const isBig = transferSyntax === 'explicitBigEndian'
  const isLong = ['OB', 'OV', 'OW', 'SQ', 'UN', 'UT'].includes(vr)
  const header = Buffer.alloc(transferSyntax !== 'implicitLittleEndian' && isLong ? 12 : 8)
  const put16 = (number: number, at: number) =>
    isBig ? header.writeUInt16BE(number, at) : header.writeUInt16LE(number, at)
  const put32 = (number: number, at: number) =>
    isBig ? header.writeUInt32BE(number, at) : header.writeUInt32LE(number, at)
  put16(tag >>> 16, 0)
  put16(tag & 0xffff, 2)
  if (transferSyntax === 'implicitLittleEndian') {
    put32(length, 4)
  } else {
    header.write(vr, 4, 'latin1')
    if (isLong) put32(length, 8)
    else put16(length, 6)
  }
  return header
}

function encodeValue(vr: string, value: ElementValue['value'], isBig: boolean): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(vr === 'UI' ? '\0' : ' ')])
  }
  const size = vr === 'UL' ? 4 : 2
  const bytes = Buffer.alloc(size * value.length)
  for (const [index, number] of value.entries()) {
    if (isBig) bytes.writeUIntBE(number, index * size, size)
    else bytes.writeUIntLE(number, index * size, size)
  }
  return bytes
}

/** Encapsulated syntaxes get an empty offset table and one fragment; what is in it is no image. */
function pixelData(length: number, transferSyntax: TransferSyntaxName): Buffer {
  const bytes = Buffer.alloc(length + (length % 2), 0x5a)
  const native: readonly string[] = [
    'implicitLittleEndian',
    'explicitLittleEndian',
    'deflated',
    'explicitBigEndian',
  ]
  if (native.includes(transferSyntax)) {
    return Buffer.concat([elementHeader(0x7fe00010, 'OW', bytes.length, transferSyntax), bytes])
  }
  const mark = (element: number, size: number) => {
    const header = Buffer.from([0xfe, 0xff, 0, 0, 0, 0, 0, 0])
    header.writeUInt16LE(element, 2)
    header.writeUInt32LE(size, 4)
    return header
  }
  return Buffer.concat([
    elementHeader(0x7fe00010, 'OB', 0xffffffff, transferSyntax),
    mark(0xe000, 0),
    mark(0xe000, bytes.length),
    bytes,
    mark(0xe0dd, 0),
  ])
}

if (import.meta.main) {
  const folder = process.argv[2]
  if (folder === undefined) throw new Error('Expected the folder to write to')
  mkdirSync(folder, { recursive: true })
  for (const [study, modality] of [
    ['S1', 'CT'],
    ['S2', 'MR'],
  ] as const) {
    for (let number = 1; number <= 3; number++) {
      const file = dicomFile({ study, modality, instance: String(number), pixelBytes: 4096 })
      writeFileSync(join(folder, `${modality}-${number}.dcm`), file)
    }
  }
}
