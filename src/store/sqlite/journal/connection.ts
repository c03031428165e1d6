/** The engine's end of the journal's thread. With a clock given, the journal is in this thread. */
import { crashPointReacher } from '../../../lib/crash-point.ts'
import { startThread } from '../../../lib/thread.ts'
import { errorFromWire } from '../../../lib/wire-error.ts'
import type { JournalArrival, JournalOptions } from './journal.ts'
import { openJournal } from './open.ts'
import { type Appended, answerJournal, type FoundArrival, type JournalOperation } from './serve.ts'

export interface JournalConnectionOptions extends Omit<JournalOptions, 'reach'> {
  readonly crashAt: string | null
  /** The latest time that the store ever showed. */
  readonly latestMs: number
}

export interface JournalConnection {
  /** Durable when resolved. */
  append(arrival: JournalArrival): Promise<Appended>
  /** The oldest full segment, by the number of its last entry. */
  oldestFilled(evenIfNotFull: boolean): Promise<{ lastNumber: number; files: readonly string[] } | null>
  /** Nothing up to that number is needed any more. */
  freeOldest(batch: number): Promise<void>
  /** What a crash left, some of it at a time. */
  found(after: number): Promise<readonly FoundArrival[]>
  forgetFound(): Promise<void>
  close(): Promise<void>
}

type Ask = (operation: JournalOperation) => Promise<unknown>

export async function connectJournal(
  options: JournalConnectionOptions,
  clock: (() => number) | null,
): Promise<JournalConnection> {
  if (clock === null) {
    const entry = new URL('./thread.ts', import.meta.url)
    const thread = await startThread<JournalOperation>({
      name: "The journal's thread",
      entry,
      data: options,
    })
    return connectionOf(
      (operation) => thread.request(operation),
      () => thread.close(),
    )
  }
  const journal = openJournal(options, crashPointReacher(options.crashAt))
  const ask: Ask = async (body) => {
    const reply = answerJournal(journal, clock, [{ id: 0, body }])[0]!
    if (!reply.ok) throw errorFromWire(reply.error)
    return reply.value
  }
  return connectionOf(ask, async () => journal.close())
}

function connectionOf(ask: Ask, close: () => Promise<void>): JournalConnection {
  return {
    append: (arrival) => ask({ name: 'append', arrival }) as Promise<Appended>,
    oldestFilled: (evenIfNotFull) =>
      ask({ name: 'oldestFilled', evenIfNotFull }) as ReturnType<JournalConnection['oldestFilled']>,
    freeOldest: (batch) => ask({ name: 'freeOldest', batch }) as Promise<void>,
    found: (after) => ask({ name: 'found', after }) as Promise<FoundArrival[]>,
    forgetFound: () => ask({ name: 'forgetFound' }) as Promise<void>,
    close,
  }
}
