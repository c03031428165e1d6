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
import { join } from 'node:path'
import { fault } from '../../../errors.ts'
import type { ReachPoint } from '../../../lib/crash-point.ts'
import { makeFolderNow, syncFolder, syncFolderNow } from '../../../lib/durable-folders.ts'
import { isFullDisk } from '../../../lib/full-disk.ts'
import { bytesOf } from '../../../lib/pieces.ts'
import { WriteWindow } from '../../../lib/synced-file.ts'
import { refused } from '../refusal.ts'
import { encodeEntry, type NewEntry } from './entry.ts'
import { entriesIn, type FoundArrival, type FoundEntry, findEntries, pageAfter } from './found.ts'
import { Segment } from './segment.ts'

export interface JournalOptions {
  readonly folder: string
  /** Number of the last entry whose segment is free; older ones are not needed any more. */
  readonly settledNumber: number
  /** No entry up to this number is written again. */
  readonly usedNumber: number
  readonly clock: () => number
  readonly reach: ReachPoint
  /** A segment takes no more than this, unless a single group of entries needs it. */
  readonly segmentBytes?: number | undefined
}

const usualSegmentBytes = 16 * 1024 * 1024
/** So many go into one group at the most. */
const largestGroup = 500

/** An arrival to be written, with the bytes of its file; null: that is synced already. */
export interface JournalArrival extends Pick<NewEntry, 'arrivalJson' | 'bytes'> {
  /** Name of its file. */
  readonly file: string
}

export interface Appended {
  /** Of the entry; of the last one ever tried if the journal cannot be written. */
  readonly number: number
  readonly atMs: number
  /** False: the journal cannot be written any more, and does not have it. */
  readonly isKept: boolean
  /** How many segments wait for the files in them to be synced; more than any limit if none can be written. */
  readonly filledSegments: number
}

interface Waiting {
  readonly arrival: JournalArrival
  resolve(appended: Appended): void
  reject(error: unknown): void
}

export class Journal {
  readonly #options: JournalOptions
  readonly #window = new WriteWindow()
  /** What a crash left; null once it has been brought back. */
  #found: readonly FoundEntry[] | null
  #current: Segment
  readonly #free: Segment[] = []
  /** Full ones, the oldest first. */
  readonly #filled: Segment[] = []
  #segments = 0
  #lastNumber: number
  #waiting: Waiting[] = []
  #writing: Promise<void> | null = null
  /** After a write has failed, but for want of room, nobody knows what is on the disk. */
  #isBroken = false

  constructor(options: JournalOptions) {
    const { folder, settledNumber, usedNumber } = options
    makeFolderNow(folder, 0o750)
    this.#options = options
    this.#found = findEntries(folder, settledNumber)
    this.#lastNumber = Math.max(this.#found.at(-1)?.number ?? 0, settledNumber, usedNumber)
    this.#current = this.#make()
    syncFolderNow(folder)
  }

  /** The time of the last entry that a crash left; 0 if it left none. */
  get foundMs(): number {
    return this.#found?.at(-1)?.atMs ?? 0
  }

  /** What a crash left after that number, some of it at a time; none after `forgetFound`. */
  found(after: number): FoundArrival[] {
    return pageAfter(this.#found ?? [], after)
  }

  /** What was found is back in files and rows, which are synced. */
  forgetFound(): void {
    this.#found = null
  }

  /**
   * Makes an arrival durable, together with all that came in while others were being written.
   * @throws what the disk says. It may come back all the same after a crash
   */
  append(arrival: JournalArrival): Promise<Appended> {
    const { promise, resolve, reject } = Promise.withResolvers<Appended>()
    this.#waiting.push({ arrival, resolve, reject })
    this.#writing ??= this.#writeAll()
    return promise
  }

  /** The oldest full segment. @param evenIfNotFull for an orderly end: the one being written, too */
  async oldestFilled(
    evenIfNotFull: boolean,
  ): Promise<{ lastNumber: number; files: readonly string[] } | null> {
    if (evenIfNotFull && this.#filled.length === 0) {
      await this.#writing
      if (this.#current.lastNumber > 0) await this.#turnOver()
    }
    const [oldest] = this.#filled
    return oldest === undefined ? null : { lastNumber: oldest.lastNumber, files: oldest.files }
  }

  /**
   * What the oldest full segment has after a number, some of it at a time. The whole segment is read here for
   * it: only after the disk has failed. @param batch its last number
   */
  filled(batch: number, after: number): FoundArrival[] {
    const [segment] = this.#filled
    return segment?.lastNumber === batch ? pageAfter(entriesIn(segment.path, 0), after) : []
  }

  /** The files of the oldest full segment are synced, and so are all rows. @param batch its last number */
  freeOldest(batch: number): void {
    const [segment] = this.#filled
    if (segment?.lastNumber !== batch) return
    this.#filled.shift()
    segment.clear()
    this.#free.push(segment)
  }

  async close(): Promise<void> {
    await this.#writing
    for (const segment of [this.#current, ...this.#free.splice(0), ...this.#filled.splice(0)]) segment.close()
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeGroup(this.#waiting.splice(0, largestGroup))
    this.#writing = null
  }

  /** Never rejects. */
  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const atMs = this.#options.clock()
    try {
      const arrivals = group.map(({ arrival }) => arrival)
      const first = this.#isBroken ? null : await this.#append(arrivals, atMs)
      const filledSegments = this.#isBroken ? Number.MAX_SAFE_INTEGER : this.#filled.length
      for (const [place, { resolve }] of group.entries()) {
        const number = first === null ? this.#lastNumber : first + place
        resolve({ number, atMs, isKept: first !== null, filledSegments })
      }
    } catch (cause) {
      for (const { reject } of group) reject(refused(cause))
    }
  }

  /** @returns the number of the first; the others follow it */
  async #append(arrivals: readonly JournalArrival[], atMs: number): Promise<number> {
    if (this.#found !== null && this.#found.length > 0)
      throw fault('internal', 'The journal was written to before it was read: this is a bug')
    const first = this.#lastNumber + 1
    const pieces = arrivals.flatMap(({ arrivalJson, bytes }, index) =>
      encodeEntry({ number: first + index, atMs, arrivalJson, bytes }),
    )
    const size = bytesOf(pieces)
    if (!this.#current.hasRoomFor(size)) await this.#turnOver()
    const segment = this.#current
    await segment.makeRoomFor(size)
    // If it fails it may be whole on the disk all the same: its numbers are used up, to be told from later ones.
    this.#lastNumber += arrivals.length
    try {
      await segment.write(pieces)
    } catch (thrown) {
      if (isFullDisk(thrown)) segment.takeNoMore()
      else this.#isBroken = true
      throw thrown
    }
    segment.lastNumber = this.#lastNumber
    for (const { bytes, file } of arrivals) if (bytes !== null) segment.files.push(file)
    this.#options.reach('journal-synced')
    return first
  }

  async #turnOver(): Promise<void> {
    const next = this.#free.shift() ?? (await this.#open())
    this.#filled.push(this.#current)
    this.#current = next
  }

  async #open(): Promise<Segment> {
    const segment = this.#make()
    await syncFolder(this.#options.folder)
    return segment
  }

  #make(): Segment {
    const { folder, segmentBytes = usualSegmentBytes } = this.#options
    return new Segment(join(folder, segmentName(++this.#segments)), segmentBytes, this.#window)
  }
}

const segmentName = (number: number) => `${String(number).padStart(4, '0')}.journal`
