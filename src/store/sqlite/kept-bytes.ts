/**
 * The bytes of files that are written and not yet synced, which the journal keeps: when they may be forgotten,
 * and how a start after a crash brings files and rows back from them.
 */
import { heldElsewhere } from '../arrival.ts'
import type { KeptFile, UnrecordedFile, UnsyncedFiles } from '../store.ts'
import type { Connection } from './connection.ts'
import type { FoundArrival } from './journal/found.ts'
import type { Journal } from './journal/journal.ts'
import type { Entry, RecordResult } from './record-all.ts'

export class KeptBytes {
  readonly #journal: Journal
  readonly #database: Connection
  /** The last entry that the database knew when it was opened. */
  readonly #knownNumber: number

  constructor(journal: Journal, database: Connection, knownNumber: number) {
    this.#journal = journal
    this.#database = database
    this.#knownNumber = knownNumber
  }

  async unsyncedFiles(all: boolean): Promise<UnsyncedFiles | null> {
    const oldest = await this.#journal.oldestFilled(all)
    return oldest === null ? null : { batch: oldest.lastNumber, files: oldest.files }
  }

  /** Whoever writes them again sees for himself which files are there still. */
  unsyncedBytes(batch: number, after: number): KeptFile[] {
    for (let last = after; ; ) {
      const page = this.#journal.filled(batch, last)
      const files = page.flatMap(keptFile)
      if (page.length === 0 || files.length > 0) return files
      last = page.at(-1)!.number
    }
  }

  /** The rows of the batch are there. This commit is synced, and with it every earlier one. */
  async forgetBytes(batch: number): Promise<void> {
    await this.#database.request('settleJournal', [batch])
    this.#journal.freeOldest(batch)
  }

  /** Of the entries with bytes that the database knows, those that have a row still; of the later ones, all. */
  async keptFiles(after: number): Promise<KeptFile[]> {
    for (let last = after; ; ) {
      const page = this.#journal.found(last)
      if (page.length === 0) return []
      const files = await this.#wanted(page)
      if (files.length > 0) return files
      last = page.at(-1)!.number
    }
  }

  /** In their order and at their times, so that the log has the same numbers again. */
  async restoreRows(isThere: (file: string) => Promise<boolean>): Promise<UnrecordedFile[]> {
    const unrecorded: UnrecordedFile[] = []
    let last = 0
    for (;;) {
      const page = this.#journal.found(last)
      if (page.length === 0) break
      last = page.at(-1)!.number
      const unknown = page.filter(({ number }) => number > this.#knownNumber)
      // Facts without bytes can be of a file that was removed again, because the journal failed.
      const areThere = await Promise.all(
        unknown.map(
          ({ bytes, arrival: { file } }) => bytes !== null || file === heldElsewhere || isThere(file),
        ),
      )
      const found = unknown.filter((_, index) => areThere[index])
      if (found.length === 0) continue
      const entries = found.map(entryOf)
      const results = (await this.#database.request('recordAll', [entries, true])) as RecordResult[]
      for (const [index, result] of results.entries()) {
        const { file } = found[index]!.arrival
        if (!result.ok) unrecorded.push({ file, reason: result.error.message })
      }
    }
    if (last > 0) await this.#database.request('settleJournal', [last])
    this.#journal.forgetFound()
    return unrecorded
  }

  async #wanted(page: readonly FoundArrival[]): Promise<KeptFile[]> {
    const known = page.filter(({ number }) => number <= this.#knownNumber).map(({ arrival }) => arrival.file)
    const orphans = new Set((await this.#database.request('orphans', [known])) as string[])
    return page.flatMap(keptFile).filter(({ file }) => !orphans.has(file))
  }
}

/** None if its file was synced before. */
function keptFile({ number, arrival: { file }, bytes }: FoundArrival): KeptFile[] {
  return bytes === null ? [] : [{ number, file, bytes }]
}

function entryOf({ number, atMs, arrival }: FoundArrival) {
  return { arrivalJson: JSON.stringify(arrival), content: null, number, atMs, isOwed: true } satisfies Entry
}
