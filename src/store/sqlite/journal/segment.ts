/**
 * One file of the journal. It is written over again and again: its blocks are there already then, so that a
 * sync has nothing to write but the data. What has been synced is never touched until the file is begun anew.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { wholeBlocks } from '../../../lib/direct-write.ts'
import { bytesOf } from '../../../lib/pieces.ts'
import { SyncedFile, type WriteWindow } from '../../../lib/synced-file.ts'
import { decodeEntry, headBytes, numberAt, type ReadEntry } from './entry.ts'

/** The file grows by so much at a time, in zeros. */
const growthBytes = 1024 * 1024
const zeros = Buffer.alloc(growthBytes)

export class Segment {
  readonly path: string
  readonly #file: SyncedFile
  readonly #largestBytes: number
  #sizeBytes: number
  #position = 0
  #takesMore = true
  /** Number of the last entry; 0 while there is none. */
  lastNumber = 0
  /** The files whose bytes are in it. */
  files: string[] = []

  /** Opens the file, which is made if it is not there; the caller syncs its folder. */
  constructor(path: string, largestBytes: number, window: WriteWindow) {
    this.path = path
    this.#largestBytes = largestBytes
    this.#file = new SyncedFile(path, window)
    // It may have been written by what did not fill its last block.
    this.#sizeBytes = wholeBlocks(this.#file.sizeBytes)
  }

  /** Whether so many bytes more can be written; an empty segment takes whatever comes. */
  hasRoomFor(bytes: number): boolean {
    return this.#takesMore && (this.#position === 0 || this.#position + bytes <= this.#largestBytes)
  }

  /** Makes room for a group on the disk, where that pays. A failure leaves everything as it was. */
  async makeRoomFor(bytes: number): Promise<void> {
    const end = this.#position + bytes
    // A large group is as well written where nothing was: its own sync makes the room.
    if (end <= this.#sizeBytes || bytes > growthBytes / 8) return
    while (this.#sizeBytes < end) {
      await this.#file.write([zeros], this.#sizeBytes)
      this.#sizeBytes += growthBytes
    }
  }

  /** Writes a group of entries; durable when resolved. One at a time. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    await this.#file.write(pieces, this.#position)
    this.#position = wholeBlocks(this.#position + bytesOf(pieces))
    this.#sizeBytes = Math.max(this.#sizeBytes, this.#position)
  }

  /** Takes nothing more until it is begun anew: entries behind a gap would not be read. */
  takeNoMore(): void {
    this.#takesMore = false
  }

  /** Begins anew: what is in it is not needed any more. */
  clear(): void {
    this.#position = 0
    this.#takesMore = true
    this.lastNumber = 0
    this.files = []
  }

  close(): void {
    this.#file.close()
  }
}

/**
 * The whole entries of a file from its start on, up to the first that is torn or older than the one before.
 * @param settledNumber a file that begins with an entry up to this number has nothing that is needed
 */
export function readSegment(path: string, settledNumber: number): ReadEntry[] {
  if (!beginsAfter(path, settledNumber)) return []
  const segment = readFileSync(path)
  const entries: ReadEntry[] = []
  let at = 0
  for (;;) {
    const next = decodeEntry(segment, at) ?? decodeEntry(segment, wholeBlocks(at))
    const last = entries.at(-1)
    if (next === null || (last !== undefined && next.entry.number !== last.number + 1)) return entries
    entries.push(next.entry)
    at = next.end
  }
}

/** Looked at before a file of many megabytes is read: after an orderly end none has to be. */
function beginsAfter(path: string, settledNumber: number): boolean {
  const head = Buffer.alloc(headBytes)
  const descriptor = openSync(path, 'r')
  try {
    return readSync(descriptor, head, 0, headBytes, 0) === headBytes && numberAt(head) > settledNumber
  } finally {
    closeSync(descriptor)
  }
}
