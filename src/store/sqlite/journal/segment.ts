/**
 * One file of the journal. It is written over again and again: its blocks are there already then, so that a
 * sync has nothing to write but the data. What has been synced is never touched until the file is begun anew.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  writevSync,
} from 'node:fs'
import { decodeEntry, type JournalEntry } from './entry.ts'

/** Where a group of entries may begin: at what a disk writes as a whole. */
const groupAlignment = 4096
/** The file grows by so much at a time, in zeros. */
const growthBytes = 1024 * 1024
const zeros = Buffer.alloc(growthBytes)

export class Segment {
  readonly path: string
  readonly #descriptor: number
  #isOpen = true
  readonly #largestBytes: number
  #sizeBytes: number
  #position = 0
  /** Number of the last entry; 0 while there is none. */
  lastNumber = 0
  /** The files whose bytes are in it. */
  files: string[] = []

  /** Opens the file, which is made if it is not there; the caller syncs its folder. */
  constructor(path: string, largestBytes: number) {
    this.path = path
    this.#largestBytes = largestBytes
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o640)
    this.#sizeBytes = fstatSync(this.#descriptor).size
  }

  /** Whether so many bytes more can be written; an empty segment takes whatever comes. */
  hasRoomFor(bytes: number): boolean {
    return this.#position === 0 || this.#position + bytes <= this.#largestBytes
  }

  /** Makes sure that so many bytes more are there on the disk. A failure leaves everything as it was. */
  makeRoomFor(bytes: number): void {
    if (this.#position + bytes <= this.#sizeBytes) return
    while (this.#sizeBytes < this.#position + bytes) {
      writeAll(this.#descriptor, [zeros], this.#sizeBytes)
      this.#sizeBytes += growthBytes
    }
    fsyncSync(this.#descriptor)
  }

  /** Writes a group of entries where room was made for it, and makes it durable. */
  write(pieces: readonly Uint8Array[], onWritten: () => void): void {
    const bytes = bytesOf(pieces)
    writeAll(this.#descriptor, pieces, this.#position)
    onWritten()
    fdatasyncSync(this.#descriptor)
    this.#position = aligned(this.#position + bytes)
  }

  /** Begins anew: what is in it is not needed any more. */
  clear(): void {
    this.#position = 0
    this.lastNumber = 0
    this.files = []
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#descriptor)
    this.#isOpen = false
  }
}

/** The whole entries of a file from its start on, up to the first that is torn or older than the one before. */
export function readSegment(path: string): JournalEntry[] {
  const segment = readFileSync(path)
  const entries: JournalEntry[] = []
  let at = 0
  for (;;) {
    const next = decodeEntry(segment, at) ?? decodeEntry(segment, aligned(at))
    const last = entries.at(-1)
    if (next === null || (last !== undefined && next.entry.number !== last.number + 1)) return entries
    entries.push(next.entry)
    at = next.end
  }
}

function aligned(position: number): number {
  return Math.ceil(position / groupAlignment) * groupAlignment
}

export function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function writeAll(descriptor: number, pieces: readonly Uint8Array[], position: number): void {
  // At a position a short write comes only of a full disk or a broken one.
  const bytes = bytesOf(pieces)
  const joined = pieces.length > 512 ? [Buffer.concat(pieces)] : pieces
  const written = writevSync(descriptor, joined, position)
  if (written < bytes) throw new Error(`Only ${written} of ${bytes} bytes could be written to the journal`)
}
