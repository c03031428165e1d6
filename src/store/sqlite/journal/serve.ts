/** What the journal answers: all arrivals that came in while it was busy become one group, with one sync. */
import type { ThreadReply, ThreadRequest } from '../../../lib/thread-port.ts'
import { refusal } from '../refusal.ts'
import type { JournalEntry } from './entry.ts'
import { type Journal, type JournalArrival, readContent } from './journal.ts'

export type JournalOperation =
  | { readonly name: 'append'; readonly arrival: JournalArrival }
  | { readonly name: 'oldestFilled'; readonly evenIfNotFull: boolean }
  | { readonly name: 'freeOldest'; readonly batch: number }
  | { readonly name: 'found'; readonly after: number }
  | { readonly name: 'forgetFound' }

export interface Appended {
  /** Of the entry; of the last one ever tried if the journal cannot be written. */
  readonly number: number
  readonly atMs: number
  /** False: the journal cannot be written any more, and does not have it. */
  readonly isKept: boolean
  readonly filledSegments: number
}

/** An entry that a crash left. */
export interface FoundArrival {
  readonly number: number
  readonly atMs: number
  readonly arrival: JournalEntry['arrival']
  readonly bytes: Uint8Array<ArrayBuffer> | null
}

/** So much is handed out of what was found at a time. */
const pageBytes = 8 * 1024 * 1024
const pageEntries = 500

type Request = ThreadRequest<JournalOperation>

/** Answers requests; those that append go first, together. Never throws. */
export function answerJournal(
  journal: Journal,
  clock: () => number,
  requests: readonly Request[],
): ThreadReply[] {
  const arrivals = requests.flatMap(({ body }) => (body.name === 'append' ? [body.arrival] : []))
  const appended = arrivals.length === 0 ? () => null : append(journal, arrivals, clock())
  let place = 0
  return requests.map(({ id, body }) => {
    try {
      const value = body.name === 'append' ? appended(place++) : answer(journal, body)
      return { id, ok: true, value }
    } catch (cause) {
      return { id, ok: false, error: refusal(cause) }
    }
  })
}

/** @returns what is answered to each, by its place in the group */
function append(
  journal: Journal,
  arrivals: readonly JournalArrival[],
  atMs: number,
): (place: number) => Appended {
  const facts = (number: number, isKept: boolean): Appended => {
    return { number, atMs, isKept, filledSegments: journal.filledSegments }
  }
  if (!journal.isUsable) return () => facts(journal.lastNumber, false)
  try {
    const first = journal.append(arrivals, atMs)
    return (place) => facts(first + place, true)
  } catch (cause) {
    return () => {
      throw cause
    }
  }
}

function answer(journal: Journal, operation: Exclude<JournalOperation, { name: 'append' }>): unknown {
  switch (operation.name) {
    case 'oldestFilled':
      return journal.oldestFilled(operation.evenIfNotFull)
    case 'freeOldest':
      return journal.freeOldest(operation.batch)
    case 'found':
      return foundAfter(journal, operation.after)
    case 'forgetFound':
      return journal.forgetFound()
    default:
      return operation satisfies never
  }
}

function foundAfter(journal: Journal, after: number): FoundArrival[] {
  const page: FoundArrival[] = []
  let bytes = 0
  for (const entry of journal.found) {
    if (entry.number <= after) continue
    const size = entry.bytes?.length ?? 0
    if (page.length >= pageEntries || (bytes > 0 && bytes + size > pageBytes)) break
    bytes += size
    const { number, atMs, arrival } = entry
    page.push({ number, atMs, arrival, bytes: readContent(entry) })
  }
  return page
}
