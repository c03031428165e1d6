/** Reads from the bytes of a DICOM file all that the index keeps. Of pixel data only its length is looked at. */
import { fault } from '../errors.ts'
import { bytesOf } from '../lib/pieces.ts'
import type { Header, Level, Tags } from './dicom.ts'
import { type Encoding, type VrCode, type WalkEnd, walkElements } from './elements.ts'
import { orthancIdentifiers } from './identifiers.ts'
import { mainTags, sopClassUid, specificCharacterSet, unsignedShortTags } from './main-tags.ts'
import {
  encodingOf,
  explicitLittleEndian,
  inflateStart,
  isDeflated,
  type Part10,
  readPart10,
} from './part10.ts'
import { expectedInstances, indexInSeries } from './series-place.ts'
import { decodeText, decodeValue, unsignedShort } from './text.ts'
import { isWholeFrom } from './whole-dataset.ts'

/**
 * @param file the whole file, in one piece or in several
 * @throws `bad-dicom-file` if it cannot be read or was cut off, `missing-identifier` if it lacks a UID
 */
export function readHeader(file: Uint8Array | readonly Uint8Array[]): Header {
  const chunks = file instanceof Uint8Array ? [file] : file
  const sizeBytes = bytesOf(chunks)
  if (sizeBytes === 0) throw fault('bad-dicom-file', 'Received an empty DICOM file')
  for (let prefixBytes = 8_192; ; prefixBytes *= 8) {
    const bytes = startOf(chunks, prefixBytes)
    const part10 = readPart10(bytes)
    const dataset = part10 === null ? null : collectFrom(bytes, part10)
    // Of a part of the file only this proves that all elements before the pixel data are in it.
    if (bytes.length < sizeBytes && dataset?.end !== 'pixel-data') continue
    if (part10 === null || dataset === null || !isWhole(chunks, dataset, part10)) {
      throw fault('bad-dicom-file', `Cannot parse an invalid DICOM file (size: ${sizeBytes} bytes)`)
    }
    return headerOf(dataset, part10.transferSyntaxUid)
  }
}

/** What is deflated is not inflated behind the start of its pixel data. */
function isWhole(
  chunks: readonly Uint8Array[],
  { end, position, encoding }: Collected,
  { transferSyntaxUid }: Part10,
): boolean {
  if (end !== 'pixel-data') return end !== 'malformed'
  return isDeflated(transferSyntaxUid) || isWholeFrom(chunks, position, encoding)
}

/** At least that many bytes from the start, or all; copied only if they lie in several chunks. */
function startOf(chunks: readonly Uint8Array[], leastBytes: number): Buffer {
  let count = 0
  let bytes = 0
  for (; count < chunks.length && bytes < leastBytes; count++) bytes += chunks[count]!.length
  const first = chunks[0]!
  if (count === 1) return Buffer.from(first.buffer, first.byteOffset, first.byteLength)
  return Buffer.concat(chunks.slice(0, count), Math.min(bytes, leastBytes))
}

interface RawElement {
  readonly tag: number
  readonly vr: VrCode
  readonly offset: number
  readonly length: number
}

interface Collected {
  readonly bytes: Buffer
  readonly elements: readonly RawElement[]
  readonly end: WalkEnd
  /** Where the walk ended. */
  readonly position: number
  readonly encoding: Encoding
}

function collect(bytes: Buffer, start: number, transferSyntaxUid: string): Collected {
  const encoding = encodingOf(transferSyntaxUid)
  const elements: RawElement[] = []
  const { end, position } = walkElements(bytes, start, encoding, (tag, vr, offset, length) => {
    if (mainTags.has(tag) || tag === specificCharacterSet || tag === sopClassUid) {
      elements.push({ tag, vr, offset, length })
    }
  })
  return { bytes, elements, end, position, encoding }
}

function collectFrom(bytes: Buffer, { position, transferSyntaxUid }: Part10): Collected {
  return isDeflated(transferSyntaxUid)
    ? collectDeflated(bytes, position)
    : collect(bytes, position, transferSyntaxUid)
}

/** Inflates more of the dataset until the walk comes to its end or to the pixel data. */
function collectDeflated(bytes: Buffer, position: number): Collected {
  const deflatedBytes = bytes.length - position
  for (let inputBytes = 16_384; ; inputBytes *= 4) {
    let inflated: Buffer
    try {
      inflated = inflateStart(bytes, position, inputBytes)
    } catch {
      const encoding = encodingOf(explicitLittleEndian)
      return { bytes, elements: [], end: 'malformed', position, encoding }
    }
    const collected = collect(inflated, 0, explicitLittleEndian)
    if (collected.end === 'pixel-data' || inputBytes >= deflatedBytes) return collected
  }
}

function headerOf(dataset: Collected, transferSyntaxUid: string): Header {
  const { bytes, elements, encoding } = dataset
  const rawValue = ({ offset, length }: RawElement) => bytes.subarray(offset, offset + length)
  const textOf = (tag: number) => {
    const element = elements.find((candidate) => candidate.tag === tag)
    return element === undefined ? '' : decodeText(rawValue(element), '').trim()
  }
  const characterSet = textOf(specificCharacterSet)
  const tags: Record<Level, Tags> = { Patient: {}, Study: {}, Series: {}, Instance: {} }
  for (const element of elements) {
    const main = mainTags.get(element.tag)
    if (main === undefined) continue
    const vr = element.vr === 0 && unsignedShortTags.has(element.tag) ? unsignedShort : element.vr
    const value = decodeValue(rawValue(element), vr, encoding.bigEndian, characterSet)
    if (value === null) refuseIdentifier(main.keyword)
    else for (const level of main.levels) tags[level][main.keyword] = value
  }
  const sopInstanceUid = required(tags.Instance, 'SOPInstanceUID')
  return {
    ids: orthancIdentifiers({
      patientId: tags.Patient.PatientID ?? '',
      studyInstanceUid: required(tags.Study, 'StudyInstanceUID'),
      seriesInstanceUid: required(tags.Series, 'SeriesInstanceUID'),
      sopInstanceUid,
    }),
    tags: { patient: tags.Patient, study: tags.Study, series: tags.Series, instance: tags.Instance },
    sopClassUid: textOf(sopClassUid),
    sopInstanceUid,
    transferSyntaxUid,
    indexInSeries: indexInSeries(tags.Instance),
    expectedInstances: expectedInstances(tags.Series),
    hasPixelData: dataset.end === 'pixel-data',
  }
}

function required(tags: Tags, keyword: string): string {
  const value = tags[keyword]
  if (value === undefined) {
    throw fault('missing-identifier', `The DICOM file has no ${keyword}, and every instance needs one`)
  }
  if (value === '') throw fault('bad-dicom-file', `The ${keyword} of the DICOM file is empty`)
  return value
}

/** A tag that is not indexed is no loss, unless the identifiers are made from it. */
function refuseIdentifier(keyword: string): void {
  if (['PatientID', 'StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'].includes(keyword)) {
    throw fault('bad-dicom-file', `The ${keyword} of the DICOM file is not text of up to 256 bytes`)
  }
}
