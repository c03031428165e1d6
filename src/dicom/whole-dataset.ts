/**
 * Whether a dataset is whole from its pixel data on: a file that was cut off there has a perfect header. Only
 * the headers of elements and fragments are looked at, wherever in the pieces of the file they lie.
 */
import { bytesOf } from '../lib/pieces.ts'
import {
  type Encoding,
  isPixelData,
  item,
  readElementHeader,
  sequenceEnd,
  undefinedLength,
  walkElements,
} from './elements.ts'

const longestHeadBytes = 12
const itemHeadBytes = 8

/**
 * @param position of the pixel data in the file
 * @returns whether every element fits into the file, and the last one ends with it
 */
export function isWholeFrom(chunks: readonly Uint8Array[], position: number, encoding: Encoding): boolean {
  const file = new Pieces(chunks)
  let at = position
  while (at < file.bytes) {
    const cursor = { position: 0, tag: 0, vr: 0, length: 0 }
    if (!readElementHeader(file.copy(at, longestHeadBytes), cursor, encoding)) return false
    const value = at + cursor.position
    if (cursor.length !== undefinedLength) {
      at = value + cursor.length
      continue
    }
    if (isPixelData(cursor.tag)) {
      at = endOfFragments(file, value, encoding)
      continue
    }
    // A sequence after the pixel data is rare, and short.
    const rest = walkElements(file.copy(at, file.bytes - at), 0, encoding, () => {})
    if (rest.end === 'malformed') return false
    at += rest.position
  }
  return at === file.bytes
}

/** PS3.5, section A.4: items up to the delimiter. @returns where they end; infinity if they do not */
function endOfFragments(file: Pieces, start: number, { bigEndian }: Encoding): number {
  const encoding = { explicit: false, bigEndian }
  const cursor = { position: 0, tag: 0, vr: 0, length: 0 }
  for (let at = start; at < file.bytes; ) {
    cursor.position = 0
    if (!readElementHeader(file.copy(at, itemHeadBytes), cursor, encoding)) break
    at += itemHeadBytes
    if (cursor.tag === sequenceEnd) return at
    if (cursor.tag !== item || cursor.length === undefinedLength) break
    at += cursor.length
  }
  return Number.POSITIVE_INFINITY
}

/** The bytes of a file that lies in several pieces; asked for from the front to the back. */
class Pieces {
  readonly bytes: number
  readonly #chunks: readonly Uint8Array[]
  #index = 0
  /** Where the piece at `#index` begins. */
  #start = 0

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks
    this.bytes = bytesOf(chunks)
  }

  /** A copy of so many bytes, or of as many as there are. */
  copy(at: number, length: number): Buffer {
    while (this.#index < this.#chunks.length && at >= this.#start + this.#chunks[this.#index]!.length) {
      this.#start += this.#chunks[this.#index++]!.length
    }
    const copy = Buffer.alloc(Math.max(0, Math.min(length, this.bytes - at)))
    let from = at - this.#start
    let filled = 0
    for (let index = this.#index; filled < copy.length; index++) {
      const part = this.#chunks[index]!.subarray(from, from + copy.length - filled)
      copy.set(part, filled)
      filled += part.length
      from = 0
    }
    return copy
  }
}
