/** Entry of the journal's thread: it has nothing to do but write, so that a sender never waits for the database. */
import { parentPort, workerData } from 'node:worker_threads'
import { crashPointReacher } from '../../../lib/crash-point.ts'
import { serveThread } from '../../../lib/thread-port.ts'
import { persistentClock } from '../clock.ts'
import type { JournalConnectionOptions } from './connection.ts'
import { openJournal } from './open.ts'
import { answerJournal, type JournalOperation } from './serve.ts'

/** At so many requests a group takes in no further ones. */
const largestGroup = 500

serveThread<JournalOperation>(parentPort!, () => {
  const options = workerData as JournalConnectionOptions
  const journal = openJournal(options, crashPointReacher(options.crashAt))
  const clock = persistentClock(options.latestMs)
  clock.showAtLeast(journal.found.at(-1)?.atMs ?? 0)
  return {
    greeting: null,
    isOneByOne: false,
    isFull: (batch) => batch.length >= largestGroup,
    answer: (batch) => answerJournal(journal, clock.now, batch),
    close: () => journal.close(),
  }
})
