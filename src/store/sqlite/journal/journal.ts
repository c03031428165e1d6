/**
 * The journal of arrivals: what makes an instance durable with one sync, where its file, its folder and its
 * rows would take three. The file is written, and synced later; the rows are committed, and synced later. Of an
 * arrival whose file is synced already it keeps the facts only.
 *
 *   arrival ─► a segment, synced ─► answered
 *                    │ └──────────► file written, rows committed
 *                    │ full
 *                    ▼
 *              files synced, rows synced ─► the segment is free
 *
 * After a crash the entries of the segments that are not free bring back what a power cut took: their files,
 * and, in their order and with their times, the rows that come after the last entry that the database knows.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { fault } from '../../../errors.ts'
import type { ReachPoint } from '../../../lib/crash-point.ts'
import { makeFolder, syncFolderNow } from '../../../lib/make-folder.ts'
import { encodeEntry, type NewEntry, type ReadEntry } from './entry.ts'
import { bytesOf } from './pieces.ts'
import { readSegment, Segment } from './segment.ts'

export interface JournalOptions {
  readonly folder: string
  /** Number of the last entry whose segment is free; older ones are not needed any more. */
  readonly settledNumber: number
  /** No entry up to this number is written again. */
  readonly usedNumber: number
  readonly reach: ReachPoint
  /** A segment takes no more than this, unless a single group of entries needs it. */
  readonly segmentBytes?: number | undefined
}

const usualSegmentBytes = 16 * 1024 * 1024

/** An arrival to be written, with the bytes of its file; null: that is synced already. */
export interface JournalArrival extends Pick<NewEntry, 'arrivalJson' | 'bytes'> {
  /** Name of its file. */
  readonly file: string
}

/** An entry that a crash left. */
export interface FoundEntry extends ReadEntry {
  /** The segment that it is in. */
  readonly path: string
}

export class Journal {
  readonly #folder: string
  readonly #segmentBytes: number
  readonly #reach: ReachPoint
  /** What a crash left; null once it has been brought back. */
  #found: readonly FoundEntry[] | null
  #current: Segment
  readonly #free: Segment[] = []
  /** Full ones, the oldest first. */
  readonly #filled: Segment[] = []
  #segments = 0
  #lastNumber: number
  #isBroken = false

  constructor({
    folder,
    settledNumber,
    usedNumber,
    reach,
    segmentBytes = usualSegmentBytes,
  }: JournalOptions) {
    makeFolder(folder, 0o750)
    this.#folder = folder
    this.#segmentBytes = segmentBytes
    this.#reach = reach
    this.#found = findEntries(folder, settledNumber)
    this.#lastNumber = Math.max(this.#found.at(-1)?.number ?? 0, settledNumber, usedNumber)
    this.#current = this.#open()
  }

  /** The entries that a crash left; none after `forgetFound`. */
  get found(): readonly FoundEntry[] {
    return this.#found ?? []
  }

  get lastNumber(): number {
    return this.#lastNumber
  }

  /** How many segments wait for the files in them to be synced; more than any limit if none can be written. */
  get filledSegments(): number {
    return this.#isBroken ? Number.MAX_SAFE_INTEGER : this.#filled.length
  }

  /** False after a write or a sync has failed: nobody knows then what is on the disk. */
  get isUsable(): boolean {
    return !this.#isBroken
  }

  /** What was found is back in files and rows, which are synced. */
  forgetFound(): void {
    this.#found = null
  }

  /**
   * Makes a group of arrivals durable.
   * @returns the number of the first; the others follow it
   * @throws what the disk says. The group may come back all the same after a crash
   */
  append(arrivals: readonly JournalArrival[], atMs: number): number {
    if (this.found.length > 0)
      throw fault('internal', 'The journal was written to before it was read: this is a bug')
    if (this.#isBroken)
      throw fault('internal', 'The journal cannot be written; see the errors before this one')
    const first = this.#lastNumber + 1
    const pieces = arrivals.flatMap(({ arrivalJson, bytes }, index) =>
      encodeEntry({ number: first + index, atMs, arrivalJson, bytes }),
    )
    const size = bytesOf(pieces)
    if (!this.#current.hasRoomFor(size)) this.#turnOver()
    const segment = this.#current
    segment.makeRoomFor(size)
    // If it fails it may be whole on the disk all the same: its numbers are used up, to be told from later ones.
    this.#lastNumber += arrivals.length
    try {
      segment.write(pieces, () => this.#reach('journal-written'))
    } catch (thrown) {
      this.#isBroken = true
      throw thrown
    }
    segment.lastNumber = this.#lastNumber
    for (const { bytes, file } of arrivals) if (bytes !== null) segment.files.push(file)
    this.#reach('journal-synced')
    return first
  }

  /** The oldest full segment. @param evenIfNotFull for an orderly end: the one being written, too */
  oldestFilled(evenIfNotFull: boolean): { lastNumber: number; files: readonly string[] } | null {
    if (evenIfNotFull && this.#filled.length === 0 && this.#current.lastNumber > 0) this.#turnOver()
    const [oldest] = this.#filled
    return oldest === undefined ? null : { lastNumber: oldest.lastNumber, files: oldest.files }
  }

  /** The files of the oldest full segment are synced, and so are all rows. @param batch its last number */
  freeOldest(batch: number): void {
    const [segment] = this.#filled
    if (segment?.lastNumber !== batch) return
    this.#filled.shift()
    segment.clear()
    this.#free.push(segment)
  }

  close(): void {
    for (const segment of [this.#current, ...this.#free.splice(0), ...this.#filled.splice(0)]) segment.close()
  }

  #turnOver(): void {
    const next = this.#free.shift() ?? this.#open()
    this.#filled.push(this.#current)
    this.#current = next
  }

  #open(): Segment {
    const segment = new Segment(join(this.#folder, segmentName(++this.#segments)), this.#segmentBytes)
    syncFolderNow(this.#folder)
    return segment
  }
}

const segmentName = (number: number) => `${String(number).padStart(4, '0')}.journal`

/** All entries that are needed, in their order; a segment that was begun anew counts from its new start. */
function findEntries(folder: string, settledNumber: number): FoundEntry[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.journal'))
  const entries = names.flatMap((name) => {
    const path = join(folder, name)
    return readSegment(path, settledNumber).map((entry) => ({ ...entry, path }))
  })
  return entries
    .filter(({ number }) => number > settledNumber)
    .sort((left, right) => left.number - right.number)
}

/** The bytes of the file of an entry; null if it was synced before. */
export function readContent({ path, bytes }: FoundEntry): Uint8Array<ArrayBuffer> | null {
  if (bytes === null) return null
  const content = new Uint8Array(bytes.length)
  const descriptor = openSync(path, 'r')
  try {
    readSync(descriptor, content, 0, bytes.length, bytes.at)
  } finally {
    closeSync(descriptor)
  }
  return content
}
