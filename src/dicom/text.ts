/** Values of elements as text: numbers in decimal, characters decoded, padding taken off. */
import { convertBytes } from 'dicom-character-set'
import { type VrCode, vrCode } from './elements.ts'

interface NumberReader {
  readonly size: number
  readonly read: (view: DataView, at: number, littleEndian: boolean) => number
}

const numberReaders: ReadonlyMap<VrCode, NumberReader> = new Map<VrCode, NumberReader>([
  [vrCode('US'), { size: 2, read: (view, at, little) => view.getUint16(at, little) }],
  [vrCode('SS'), { size: 2, read: (view, at, little) => view.getInt16(at, little) }],
  [vrCode('UL'), { size: 4, read: (view, at, little) => view.getUint32(at, little) }],
  [vrCode('SL'), { size: 4, read: (view, at, little) => view.getInt32(at, little) }],
  [vrCode('FL'), { size: 4, read: (view, at, little) => view.getFloat32(at, little) }],
  [vrCode('FD'), { size: 8, read: (view, at, little) => view.getFloat64(at, little) }],
])

export const unsignedShort = vrCode('US')
const unknown = vrCode('UN')
const uniqueIdentifier = vrCode('UI')
const bulkVrs: ReadonlySet<VrCode> = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW'].map(vrCode))

/** Orthanc indexes nothing longer, and neither do we: it bounds every row. */
const longestValue = 256

/**
 * A value as the index keeps it; several numbers are joined by a backslash, as several texts are.
 * @param characterSet value of Specific Character Set
 * @returns null for what is not indexed: bulk data, and text over 256 characters
 */
export function decodeValue(
  bytes: Buffer,
  vr: VrCode,
  bigEndian: boolean,
  characterSet: string,
): string | null {
  if (bulkVrs.has(vr)) return null
  const numbers = numberReaders.get(vr)
  const text =
    numbers === undefined ? decodeText(bytes, characterSet) : decodeNumbers(bytes, numbers, bigEndian)
  const value = vr === unknown ? text : vr === uniqueIdentifier ? text.trim() : withoutPadding(text)
  return Buffer.byteLength(value) > longestValue ? null : value
}

function decodeNumbers(bytes: Buffer, { size, read }: NumberReader, bigEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values: number[] = []
  for (let at = 0; at + size <= bytes.length; at += size) values.push(read(view, at, !bigEndian))
  return values.join('\\')
}

/**
 * Decodes text of a Specific Character Set (PS3.3, C.12.1.1.2). A null byte ends it. What the set cannot
 * decode is left out, as Orthanc does it: identifiers are made from these texts.
 */
export function decodeText(bytes: Buffer, characterSet: string): string {
  const end = bytes.indexOf(0)
  const value = end === -1 ? bytes : bytes.subarray(0, end)
  if (isPlain(value)) return value.toString('latin1')
  try {
    return convertBytes(characterSet || 'ISO_IR 100', value, { vr: 'PN' }).replaceAll('\ufffd', '')
  } catch {
    return Buffer.from(value.filter((byte) => byte < 0x80)).toString('latin1')
  }
}

const escapeByte = 0x1b
const tilde = 0x7e

/** True if every character set reads these bytes as ASCII does. */
function isPlain(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte >= tilde || byte === escapeByte) return false
  }
  return true
}

/** Only spaces at the end are padding; any before them belong to the value. */
export function withoutPadding(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end--
  return end === text.length ? text : text.slice(0, end)
}
