/**
 * Walks over the top-level elements of an encoded dataset without copying or decoding a value, up to the
 * pixel data (PS3.5, sections 7 and A.4). Sequences of known length are stepped over, not entered.
 */

/** How the elements of a dataset are encoded. */
export interface Encoding {
  readonly explicit: boolean
  readonly bigEndian: boolean
}

/** Two letters as one number; 0 where the encoding is implicit. */
export type VrCode = number

/** @param tag group and element as one number, such as 0x00100020 */
export type VisitElement = (tag: number, vr: VrCode, offset: number, length: number) => void

/** Where the walk came to: `malformed` says that an element does not fit into the bytes. */
export type WalkEnd = 'end' | 'pixel-data' | 'before-group' | 'malformed'

export const vrCode = (letters: string): VrCode => (letters.charCodeAt(0) << 8) | letters.charCodeAt(1)

const shortVrs = new Set(
  'AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' ').map(vrCode),
)
const un = vrCode('UN')
export const undefinedLength = 0xffffffff
export const item = 0xfffee000
const itemEnd = 0xfffee00d
export const sequenceEnd = 0xfffee0dd
const floatPixelData = 0x7fe00008
const pixelData = 0x7fe00010

/** Header of one element; reused, because a walk meets thousands. */
interface Cursor {
  position: number
  tag: number
  vr: VrCode
  length: number
}

/**
 * Visits each element from `start` on, in the order of the bytes.
 * @param untilGroup the walk ends before the first element of another group than this one, if given
 * @returns how it ended, and at which byte
 */
export function walkElements(
  bytes: Uint8Array,
  start: number,
  encoding: Encoding,
  visit: VisitElement,
  untilGroup?: number,
): { end: WalkEnd; position: number } {
  const cursor: Cursor = { position: start, tag: 0, vr: 0, length: 0 }
  while (cursor.position < bytes.length) {
    const before = cursor.position
    if (!readElementHeader(bytes, cursor, encoding)) return { end: 'malformed', position: before }
    const { tag, vr, length, position } = cursor
    if (untilGroup !== undefined && tag >>> 16 !== untilGroup)
      return { end: 'before-group', position: before }
    if (isPixelData(tag)) return { end: 'pixel-data', position: before }
    if (length === undefinedLength) {
      if (!skipSequence(bytes, cursor, encoding)) return { end: 'malformed', position: before }
      continue
    }
    if (position + length > bytes.length) return { end: 'malformed', position: before }
    visit(tag, vr, position, length)
    cursor.position = position + length
  }
  return { end: 'end', position: cursor.position }
}

/** Pixel data as integers or floating-point numbers. */
export function isPixelData(tag: number): boolean {
  return tag >= floatPixelData && tag <= pixelData
}

/** Reads tag, VR and length, and stands on the value then. False: the bytes end before. */
export function readElementHeader(
  bytes: Uint8Array,
  cursor: Cursor,
  { explicit, bigEndian }: Encoding,
): boolean {
  const at = cursor.position
  if (at + 8 > bytes.length) return false
  cursor.tag = ((readUint16(bytes, at, bigEndian) << 16) | readUint16(bytes, at + 2, bigEndian)) >>> 0
  if (!explicit || cursor.tag >>> 16 === 0xfffe) {
    cursor.vr = 0
    cursor.length = readUint32(bytes, at + 4, bigEndian)
    cursor.position = at + 8
    return true
  }
  cursor.vr = (bytes[at + 4]! << 8) | bytes[at + 5]!
  if (hasShortLength(cursor.vr)) {
    cursor.length = readUint16(bytes, at + 6, bigEndian)
    cursor.position = at + 8
    return true
  }
  if (at + 12 > bytes.length) return false
  cursor.length = readUint32(bytes, at + 8, bigEndian)
  cursor.position = at + 12
  return true
}

/** A VR of letters that the standard does not know yet has the long form, as all new ones have. */
function hasShortLength(vr: VrCode): boolean {
  return shortVrs.has(vr) || !isVr(vr)
}

export function isVr(vr: VrCode): boolean {
  return isLetter(vr >>> 8) && isLetter(vr & 0xff)
}

const isLetter = (code: number) => code >= 0x41 && code <= 0x5a

/**
 * Steps over the items of a sequence of undefined length, however deep they nest: a stack of what is open,
 * not recursion, so that no file can exhaust the call stack. False: the bytes end before the sequence does.
 */
function skipSequence(bytes: Uint8Array, cursor: Cursor, encoding: Encoding): boolean {
  // The encoding inside each open sequence and item; what is in a UN of undefined length is implicit (6.2.2).
  const open: Encoding[] = [insideOf(cursor.vr, encoding)]
  while (open.length > 0) {
    const inside = open[open.length - 1]!
    if (!readElementHeader(bytes, cursor, inside)) return false
    if (cursor.tag === itemEnd || cursor.tag === sequenceEnd) {
      open.pop()
    } else if (cursor.length === undefinedLength) {
      open.push(cursor.tag === item ? inside : insideOf(cursor.vr, inside))
    } else {
      cursor.position += cursor.length
      if (cursor.position > bytes.length) return false
    }
  }
  return true
}

function insideOf(vr: VrCode, outside: Encoding): Encoding {
  return vr === un ? { explicit: false, bigEndian: false } : outside
}

export function readUint16(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  const first = bytes[at]!
  const second = bytes[at + 1]!
  return bigEndian ? (first << 8) | second : (second << 8) | first
}

function readUint32(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  const first = readUint16(bytes, at, bigEndian)
  const second = readUint16(bytes, at + 2, bigEndian)
  return (bigEndian ? (first << 16) | second : (second << 16) | first) >>> 0
}
