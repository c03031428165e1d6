/** Gives arrivals their rows, in the order of the journal and each at its own time; after a crash, too. */
import type { WireError } from '../../lib/wire-error.ts'
import type { Arrival, Recorded } from '../store.ts'
import { latestChangeMs } from './changes.ts'
import { record } from './record.ts'
import { isDiskError, refusal } from './refusal.ts'
import { eachInSavepoint } from './savepoint.ts'
import { keepNumber, type Session } from './session.ts'
import { Touched } from './touched.ts'

/** An arrival that is durable. */
export interface Entry {
  /** The arrival without its content, as JSON. */
  readonly arrivalJson: string
  readonly content: Arrival['content']
  /** Of its entry in the journal. */
  readonly number: number
  /** When it arrived, of the store's clock. */
  readonly atMs: number
  /** The sender was told that it is stored: if the disk fails, all has to wait for it. */
  readonly isOwed: boolean
}

export type RecordResult =
  | { readonly ok: true; readonly value: Recorded['status'] }
  | { readonly ok: false; readonly error: WireError }

export function recordAll(session: Session, entries: readonly Entry[]): RecordResult[] {
  const { nowMs } = session
  let latestMs = latestChangeMs(session)
  // The log never goes back, and what is brought back finds the same log before it.
  const timed = entries.map((entry) => {
    latestMs = Math.max(latestMs, entry.atMs)
    return { entry, atMs: latestMs }
  })
  try {
    const results = eachInSavepoint(session, timed, recordEntries(session), refuse)
    // After a crash the journal may know a later time than the rows.
    if (latestMs > session.clock.now()) session.clock.showAtLeast(latestMs)
    // Afterwards the journal has nothing that the rows have not, and what was refused does not come back.
    const last = entries.at(-1)
    if (last !== undefined) keepNumber(session.sql, 'journal', last.number)
    return results
  } finally {
    session.nowMs = nowMs
  }
}

interface TimedEntry {
  readonly entry: Entry
  readonly atMs: number
}

const recordEntries =
  (session: Session) =>
  (timed: readonly TimedEntry[]): RecordResult[] => {
    const touched = new Touched(session)
    const results = timed.map(({ entry: { arrivalJson, content }, atMs }): RecordResult => {
      session.nowMs = atMs
      const facts = JSON.parse(arrivalJson) as Omit<Arrival, 'content'>
      return { ok: true, value: record(session, { ...facts, content }, touched) }
    })
    touched.write()
    return results
  }

function refuse({ entry: { isOwed } }: TimedEntry, cause: unknown, undoFiles: () => void): RecordResult {
  if (isOwed && isDiskError(cause)) throw cause
  // The file of one that is owed is all that there is of it.
  if (!isOwed) undoFiles()
  return { ok: false, error: refusal(cause) }
}
