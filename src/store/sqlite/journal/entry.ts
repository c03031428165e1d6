/**
 * One entry of the journal as bytes: an arrival with the bytes of its file, numbered, and with a checksum
 * that a torn write does not pass.
 *
 *   u32 mark · u32 CRC-32 of all that follows · f64 number · u32 length of the facts · u32 length of the bytes
 *   · the facts as JSON · the bytes          (little endian)
 */
import { crc32 } from 'node:zlib'
import type { Arrival } from '../../store.ts'

export interface JournalEntry {
  /** From 1, without gaps. */
  readonly number: number
  /** When it arrived, of the store's clock. */
  readonly atMs: number
  readonly arrival: Omit<Arrival, 'content'>
}

/** An entry that was read: where its bytes lie in the segment; null if its file was synced before. */
export interface ReadEntry extends JournalEntry {
  readonly bytes: { readonly at: number; readonly length: number } | null
}

interface Facts {
  readonly atMs: number
  readonly arrival: JournalEntry['arrival']
  readonly hasBytes: boolean
}

const mark = 0x314a534f
export const headBytes = 24
/** Where the checksum begins to count. */
const checkedFrom = 8

/** An entry to be written. */
export interface NewEntry {
  readonly number: number
  readonly atMs: number
  /** The arrival without its content, as JSON. */
  readonly arrivalJson: string
  /** Of a file that is not synced; null: it is. */
  readonly bytes: Uint8Array | null
}

/** The entry in pieces, to be written one after the other. */
export function encodeEntry({ number, atMs, arrivalJson, bytes: content }: NewEntry): Uint8Array[] {
  // As the JSON of `Facts`.
  const facts = Buffer.from(`{"atMs":${atMs},"hasBytes":${content !== null},"arrival":${arrivalJson}}`)
  const bytes = content ?? new Uint8Array()
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32LE(mark, 0)
  head.writeDoubleLE(number, 8)
  head.writeUInt32LE(facts.length, 16)
  head.writeUInt32LE(bytes.length, 20)
  head.writeUInt32LE(crc32(bytes, crc32(facts, crc32(head.subarray(checkedFrom)))), 4)
  return [head, facts, bytes]
}

/** The number in the head of an entry, whole or not. */
export const numberAt = (head: Buffer) => head.readDoubleLE(8)

/** The entry that begins at a place, and where it ends; null if none does, or one that is not whole. */
export function decodeEntry(segment: Buffer, at: number): { entry: ReadEntry; end: number } | null {
  if (at + headBytes > segment.length || segment.readUInt32LE(at) !== mark) return null
  const factsAt = at + headBytes
  const bytesAt = factsAt + segment.readUInt32LE(at + 16)
  const length = segment.readUInt32LE(at + 20)
  const end = bytesAt + length
  if (end > segment.length) return null
  if (crc32(segment.subarray(at + checkedFrom, end)) !== segment.readUInt32LE(at + 4)) return null
  const { hasBytes, ...facts } = JSON.parse(segment.toString('utf8', factsAt, bytesAt)) as Facts
  const number = numberAt(segment.subarray(at))
  return { entry: { number, ...facts, bytes: hasBytes ? { at: bytesAt, length } : null }, end }
}
