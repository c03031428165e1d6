/**
 * The bytes of files that are written and not yet synced, which the journal keeps: when they may be forgotten,
 * and how a start after a crash brings files and rows back from them.
 */
import type { KeptFile, UnsyncedFiles } from '../store.ts'
import { readContent } from './journal/journal.ts'
import { record } from './record.ts'
import { keepNumber, numberIn, type Session } from './session.ts'

/** So much is handed out of the journal at a time. */
const pageBytes = 8 * 1024 * 1024

export function unsyncedFiles({ journal }: Session, all: boolean): UnsyncedFiles | null {
  const oldest = journal?.oldestFilled(all) ?? null
  return oldest === null ? null : { batch: oldest.lastNumber, files: oldest.files }
}

/** Its commit is synced, and with it every earlier one: nothing in the segment is needed any more. */
export function forgetBytes(session: Session, batch: number): void {
  if (session.journal?.oldestFilled(false)?.lastNumber !== batch) return
  keepNumber(session.sql, 'journal-settled', batch)
  session.afterCommit.push(() => session.journal?.freeOldest())
}

/** Of the entries with bytes that the database knows, those that have a row still; of the later ones, all. */
export function keptFiles({ journal, sql }: Session, after: number): KeptFile[] {
  const known = numberIn(sql, 'journal')
  const files: KeptFile[] = []
  let bytes = 0
  for (const entry of journal?.found ?? []) {
    const { number, arrival } = entry
    if (number <= after || entry.bytes === null) continue
    if (number <= known && sql('select 1 from instance where file = ?').get(arrival.file) === undefined)
      continue
    if (bytes > 0 && bytes + entry.bytes.length > pageBytes) break
    bytes += entry.bytes.length
    files.push({ number, file: arrival.file, bytes: readContent(entry)! })
  }
  return files
}

/** In their order and at their times, so that the log has the same numbers again. */
export function restoreRows(session: Session): void {
  const { journal, sql } = session
  if (journal === null) return
  const nowMs = session.nowMs
  const known = numberIn(sql, 'journal')
  for (const { number, atMs, arrival } of journal.found) {
    if (number <= known) continue
    session.nowMs = atMs
    record(session, { ...arrival, content: null })
  }
  session.nowMs = nowMs
  keepNumber(sql, 'journal', journal.lastNumber)
  keepNumber(sql, 'journal-settled', journal.lastNumber)
  session.afterCommit.push(() => journal.forgetFound())
}
