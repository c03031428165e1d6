/** What a crash left in the journal, read at the start, some of it at a time. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { JournalEntry, ReadEntry } from './entry.ts'
import { readSegment } from './segment.ts'

/** An entry, and the segment that it is in. */
export interface FoundEntry extends ReadEntry {
  readonly path: string
}

export interface FoundArrival extends JournalEntry {
  /** Null: its file was synced before. */
  readonly bytes: Uint8Array<ArrayBuffer> | null
}

/** So much is handed out at a time. */
const pageBytes = 8 * 1024 * 1024
const pageEntries = 500

/** All entries that are needed, in their order; a segment that was begun anew counts from its new start. */
export function findEntries(folder: string, settledNumber: number): FoundEntry[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.journal'))
  return names
    .flatMap((name) => entriesIn(join(folder, name), settledNumber))
    .filter(({ number }) => number > settledNumber)
    .sort((left, right) => left.number - right.number)
}

export function entriesIn(path: string, settledNumber: number): FoundEntry[] {
  return readSegment(path, settledNumber).map((entry) => ({ ...entry, path }))
}

/** The next entries after a number, with their bytes; none: that was all. */
export function pageAfter(entries: readonly FoundEntry[], after: number): FoundArrival[] {
  const page: FoundArrival[] = []
  let bytes = 0
  for (const entry of entries) {
    if (entry.number <= after) continue
    const size = entry.bytes?.length ?? 0
    if (page.length >= pageEntries || (bytes > 0 && bytes + size > pageBytes)) break
    bytes += size
    const { number, atMs, arrival } = entry
    page.push({ number, atMs, arrival, bytes: readContent(entry) })
  }
  return page
}

function readContent({ path, bytes }: FoundEntry): Uint8Array<ArrayBuffer> | null {
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
