/**
 * A kill keeps the page cache, so what outlives a power cut is shown by the system calls, where strace may be
 * used: before an answer leaves, the journal has been synced with the facts of the instance and with the bytes
 * of its file, unless that is large: then the file and its folder have been synced after they were written.
 */
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type History, newUpload } from '../campaign/history.ts'
import { idsOf } from '../campaign/identifiers.ts'
import { readDatabase } from '../campaign/observe-database.ts'
import { store } from '../campaign/store-client.ts'
import { dicomFile, type FileFacts, uidsOf } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { upload } from '../support/rest-client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  canTrace,
  isEntry,
  isSync,
  isWrite,
  readCalls,
  type SystemCall,
  tracing,
} from '../support/system-calls.ts'

type Send = (server: TestServer, all: readonly FileFacts[]) => Promise<void>

/** One after the other. */
const senders: Record<string, Send> = {
  async HTTP(server, all) {
    for (const facts of all) expect((await upload(server.url, dicomFile(facts))).status).toBe(200)
  },
  async 'C-STORE'(server, all) {
    const surprises: string[] = []
    const history = {
      surprises,
      uploads: [],
      deletions: [],
      effects: [],
      lives: [],
      stops: [],
      outages: [],
      cuts: [],
      hasOthers: false,
      childEndsMs: [],
      troubles: [],
      stableAgeMs: 0,
      agesMs: { Patient: 0, Study: 0, Series: 0 },
    }
    const uploads = all.map((facts) => newUpload(facts, 'dicom'))
    await store(history satisfies History, server, uploads)
    expect(uploads.map(({ attempts }) => attempts[0]!.answer)).toEqual(all.map(() => 'stored'))
  },
}

test.skipIf(!canTrace()).for(Object.entries(senders))(
  'before %s acknowledges an instance, the synced journal has its facts, and its bytes or a synced file',
  async ([, send]) => {
    using folder = temporaryFolder()
    const traceFile = join(folder.path, 'trace')
    await using server = await startServer({ stableAge: 600, under: tracing(traceFile) })
    const alone = ['1', '2', '3'].map((instance) => ({ series: 'A', instance }))
    const together = ['4', '5', '6', '7'].map((instance) => ({
      series: 'B',
      instance,
      pixelBytes: 2_200_000,
    }))
    await send(server, alone)
    // Twice, so that what is not yet durable is not acknowledged for being there already.
    await Promise.all([...together, ...together].map((facts) => send(server, [facts])))
    // Whatever is asked for waits for the rows of all that was acknowledged.
    await fetch(new URL('/statistics', server.url))
    const files = new Map(readDatabase(server.data).instances.map(({ id, file }) => [id, file]))
    await server.stop()

    const calls = await readCalls(traceFile, server.pid)
    const all = [...alone, ...together]
    const fileOf = (facts: FileFacts) => files.get(idsOf(facts).Instance)!
    for (const facts of alone) {
      expect(missingInJournal(fileOf(facts), calls, answerTo(calls, facts), server.data)).toEqual([])
    }
    for (const facts of together) {
      expect(missingFor(fileOf(facts), calls, answerTo(calls, facts), server.data)).toEqual([])
    }
    expect(missingNames([...files.values()], calls, answerTo(calls, all[0]!), server.data)).toEqual([])
    // After an orderly end nothing depends on the journal.
    const unsynced = [...files.values()].filter((file) => {
      const path = join(server.data, 'files', file)
      return !calls.some((call) => isSync(call) && call.path === path)
    })
    expect(unsynced).toEqual([])
  },
)

test.skipIf(!canTrace())(
  'many files are synced at the latest at an orderly end, after they were written',
  async () => {
    using folder = temporaryFolder()
    const traceFile = join(folder.path, 'trace')
    await using server = await startServer({ stableAge: 600, under: tracing(traceFile) })
    const all = Array.from({ length: 70 }, (_, index) => ({ series: 'A', instance: String(index) }))
    await senders.HTTP!(server, all)
    await server.stop()
    const files = readDatabase(server.data).instances.map(({ file }) => join(server.data, 'files', file))
    expect(files).toHaveLength(all.length)

    const calls = await readCalls(traceFile, server.pid)
    const unsynced = files.filter((path) => {
      const written = calls.findLast((call) => isWrite(call) && call.path === path)!
      return !calls.some(
        (call) =>
          (call.path === path || (call.name === 'syncfs' && call.path === dirname(path))) &&
          isSync(call) &&
          call.beganAt > written.endedAt,
      )
    })
    expect(unsynced).toEqual([])
  },
)

/** The first that tells a sender of the instance. */
function answerTo(calls: readonly SystemCall[], facts: FileFacts): SystemCall {
  const names = [`\\"ID\\":\\"${idsOf(facts).Instance}`, uidsOf(facts).instance]
  const answer = calls.find(
    (call) =>
      isWrite(call) && call.path.startsWith('socket:') && names.some((name) => call.text.includes(name)),
  )
  if (answer === undefined) throw new Error(`No answer about ${JSON.stringify(facts)} in the trace`)
  return answer
}

/** What the journal had not, of an instance whose file is synced later, when its answer began to leave. */
function missingInJournal(
  file: string,
  calls: readonly SystemCall[],
  answer: SystemCall,
  data: string,
): string[] {
  const wal = join(data, 'index.sqlite-wal')
  const kept = inJournal(file, calls, data)
  const written = calls.find((call) => isWrite(call) && call.path === join(data, 'files', file))
  const recorded = calls.find((call) => isWrite(call) && call.path === wal && call.text.includes(file))
  return missingOf({
    'its bytes and facts': kept !== undefined && isSynced(kept.path, calls, kept, answer),
    'its file before its rows':
      written !== undefined && recorded !== undefined && written.endedAt < recorded.beganAt,
    'the journal before its rows': kept !== undefined && isSynced(kept.path, calls, kept, recorded),
  })
}

/** What of an instance was not durable when its answer began to leave. @param file as its row names it */
function missingFor(file: string, calls: readonly SystemCall[], answer: SystemCall, data: string): string[] {
  const path = join(data, 'files', file)
  const written = calls.findLast((call) => isWrite(call) && call.path === path)
  const named = calls.findLast((call) => isEntry(call) && call.path === path)
  const kept = inJournal(file, calls, data)
  return missingOf({
    'the file': isSynced(path, calls, written, answer),
    'its folder': isSynced(dirname(path), calls, named, answer),
    'its facts': kept !== undefined && isSynced(kept.path, calls, kept, answer),
    // Facts that outlive a power cut must not name a file that did not.
    'the file before its facts':
      isSynced(path, calls, written, kept) && isSynced(dirname(path), calls, named, kept),
  })
}

/** What puts an arrival into the journal. */
function inJournal(file: string, calls: readonly SystemCall[], data: string): SystemCall | undefined {
  const folder = join(data, 'journal', '0')
  return calls.find((call) => isWrite(call) && call.path.startsWith(folder) && call.text.includes(file))
}

/** Which folders and databases had no durable name themselves when an answer began to leave. */
function missingNames(
  files: readonly string[],
  calls: readonly SystemCall[],
  answer: SystemCall,
  data: string,
): string[] {
  const folders = files.map((file) => join('files', dirname(file)))
  const paths = [
    '',
    'index.sqlite',
    'index.sqlite-wal',
    'files',
    'journal',
    'journal/0001.journal',
    ...folders,
  ].map((name) => join(data, name))
  const made = (path: string) => calls.find((call) => isEntry(call) && call.path === path)
  return missingOf(
    Object.fromEntries(paths.map((path) => [path, isSynced(dirname(path), calls, made(path), answer)])),
  )
}

/** Whether one call was a sync itself, or a sync of the path began after it had ended; and ended before the other. */
function isSynced(
  path: string,
  calls: readonly SystemCall[],
  after: SystemCall | undefined,
  before: SystemCall | undefined,
): boolean {
  if (after === undefined || before === undefined) return false
  if (after.isSynchronous) return after.endedAt < before.beganAt
  return calls.some(
    (call) =>
      isSync(call) && call.path === path && call.beganAt > after.endedAt && call.endedAt < before.beganAt,
  )
}

function missingOf(found: Readonly<Record<string, boolean>>): string[] {
  return Object.keys(found).filter((name) => !found[name])
}
