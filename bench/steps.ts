/**
 * The road of an instance step by step: what each takes alone in this process, and what the least of it would take
 * that no program can do without: the write that is synced, the bare insert, the bare JSON.
 */
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import dicomParser from 'dicom-parser'
import { readHeader } from '../src/dicom/dicom.ts'
import { packageVersion } from '../src/lib/version.ts'
import { frameSender, readFrames } from '../src/runtime/frames.ts'
import { type Connection, connectHere } from '../src/store/sqlite/connection.ts'
import { openJournal } from '../src/store/sqlite/journal/open.ts'
import type { Entry } from '../src/store/sqlite/record-all.ts'
import type { Arrival } from '../src/store/store.ts'
import { quantile, shown } from './figures.ts'
import { entryOf, sampleHeader, usualFilling } from './filled-folder.ts'
import type { Rounds } from './ingest.ts'
import { openLimits } from './limits.ts'
import type { Notebook } from './report.ts'
import { makeSamples } from './samples.ts'
import { makeFolder } from './server-process.ts'

export const stepsMethod = [
  'Microseconds for one, at the median of batches, after a warm-up; of the writing thread of the store where it does the',
  'step, in this process. "limit" is what the step cannot do without: dicom-parser alone for the header; one write of',
  'the same bytes to a file opened with O_DSYNC for the journal; one insert of as many bytes into a table with one index',
  'for the rows of an instance, and the same with a commit of its own; JSON alone for a message between processes.',
]

interface Step {
  readonly name: string
  /** Before each, and not counted. */
  readonly prepare?: () => void
  /** Does some of it; says how many. */
  readonly work: () => number | Promise<number>
  /** The same with what it cannot do without. */
  readonly limit: (() => number) | null
}

export async function measureSteps(notebook: Notebook, { pairs, isQuick }: Rounds): Promise<void> {
  notebook.versions.OnStable = packageVersion()
  notebook.versions.limit = 'bare'
  const stage = openStage()
  for (let round = 1; round <= pairs; round++) {
    for (const { name, prepare, work, limit } of stage.steps) {
      const took = await medianMicroseconds(work, isQuick, prepare)
      notebook.note(name, 'µs', 'OnStable', took)
      const least = limit === null ? null : await medianMicroseconds(limit, isQuick)
      if (least !== null) notebook.note(name, 'µs', 'limit', least)
      console.error(
        `round ${round}/${pairs}, ${name}: ${shown(took)} µs${least === null ? '' : `, at least ${shown(least)} µs`}`,
      )
    }
  }
  await stage.close()
}

async function medianMicroseconds(
  work: Step['work'],
  isQuick: boolean,
  prepare: () => void = () => {},
): Promise<number> {
  const [warmUp, batches] = isQuick ? [2, 5] : [60, 200]
  const took: number[] = []
  for (let batch = 0; batch < warmUp + batches; batch++) {
    prepare()
    const startMs = performance.now()
    const count = await work()
    if (batch >= warmUp) took.push(((performance.now() - startMs) * 1_000) / count)
  }
  return quantile(took, 0.5)
}

function openStage(): { readonly steps: readonly Step[]; close(): Promise<void> } {
  const folder = makeFolder('steps')
  let nowMs = Date.now()
  const options = { file: join(folder, 'index.sqlite'), readonly: false, crashAt: null }
  const database = connectHere(options, () => ++nowMs)
  const journal = openJournal({
    folder: join(folder, 'journal'),
    settledNumber: 0,
    usedNumber: 0,
    clock: () => nowMs,
    reach: () => {},
  })
  const bare = openLimits(folder)
  const [sample] = makeSamples({ size: '6 KB', instances: 1, studies: 1, seriesPerStudy: 1, run: 1 })
  const file = sample!.file
  const rows = rowsOf(database)
  rows.prepare(1)
  const { arrivalJson } = rows.next(1)[0]!
  const append = async (together: number) => {
    const all = Array.from({ length: together }, (_, at) =>
      journal.append({ file: `00000001/${at}`, arrivalJson, bytes: file }),
    )
    const { filledSegments } = (await Promise.all(all)).at(-1)!
    for (let left = filledSegments; left > 0; left--)
      journal.freeOldest((await journal.oldestFilled(false))!.lastNumber)
    return together
  }
  const record = async (together: number) => {
    await database.request('recordAll', [rows.next(together), false])
    return together
  }
  const recorded = (name: string, together: number): Step => ({
    name,
    prepare: () => rows.prepare(together),
    work: () => record(together),
    limit: () => bare.inserts(together),
  })
  const steps: Step[] = [
    {
      name: 'header of 6 KB',
      work: () => times(100, () => readHeader(file)),
      limit: () => times(100, () => dicomParser.parseDicom(file, { untilTag: 'x7fe00010' })),
    },
    { name: 'journal, one at a time', work: () => append(1), limit: () => bare.syncedWrite(file, 1) },
    { name: 'journal, 8 at once', work: () => append(8), limit: () => bare.syncedWrite(file, 8) },
    recorded('rows, one in a commit', 1),
    recorded('rows, 4 in a commit', 4),
    recorded('rows, 100 in a commit', 100),
    {
      name: 'window, touched again',
      work: async () => {
        for (let each = 0; each < 20; each++)
          await database.request('markUnstable', ['Series', rows.series, age])
        return 20
      },
      limit: null,
    },
    {
      name: 'tick with nothing due',
      work: () => times(20, () => void database.request('tick', [nowMs])),
      limit: null,
    },
    {
      name: 'delivery made, leased and settled, 64 at once',
      work: async () => {
        const { leases } = (await database.request('lease', [{ 'steps.js': 64 }, 60_000])) as {
          leases: { delivery: number; fence: number }[]
        }
        await database.request('settleAll', [leases.map(settlementOf)])
        return leases.length
      },
      limit: null,
    },
    { name: 'message of 2 KB between processes', work: () => frames(64), limit: () => json(64) },
  ]
  return {
    steps,
    async close() {
      await journal.close()
      await database.close()
      bare.close()
    },
  }
}

const age = { ageMs: 3_600_000, maxWaitMs: null }

function times(count: number, act: () => unknown): number {
  for (let each = 0; each < count; each++) act()
  return count
}

/** Arrivals never seen before, of series of 200, each owed to a script. */
function rowsOf(database: Connection) {
  const header = sampleHeader()
  const subscriptions = [{ type: 'NewInstance', callback: 'onStoredInstance' }]
  const version = { hash: 'steps', code: '', sourceMap: '' }
  void database.request('putScript', ['steps.js', version, subscriptions, null])
  let made = 0
  const ready: Entry[] = []
  const one = (at: number) => entryOf(header, { ...usualFilling, ageMs: age.ageMs }, at, Date.now())
  const { header: first } = JSON.parse(one(0).arrivalJson) as Pick<Arrival, 'header'>
  return {
    /** Made beforehand, as it is in another thread. */
    prepare: (count: number) => {
      while (ready.length < count) ready.push(one(made++))
    },
    next: (count: number) => ready.splice(0, count),
    series: first.ids.series,
  }
}

function settlementOf({ delivery, fence }: { delivery: number; fence: number }) {
  const run = {
    ...{ version: 'steps', outcome: 'ok', reason: null, attempts: 8, durationMs: 1, cpuMs: 1 },
    ...{ memoryBytes: 1_000_000, logs: '[]', hostCalls: '[]' },
  }
  return { delivery, fence, next: 'done', delayMs: 0, run, keyValueWrites: [] }
}

const header = { type: 'run', id: 1, version: 'x'.repeat(32), callback: 'onStoredInstance', after: null }
const body = JSON.stringify({ padding: 'x'.repeat(2_000) })

/** Through the framing of the pipe, in one turn of the event loop, and parsed again. */
async function frames(count: number): Promise<number> {
  const pipe = new PassThrough({ highWaterMark: 8 * 1024 * 1024 })
  const send = frameSender(pipe)
  let received = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  readFrames(
    pipe,
    () => {
      if (++received === count) resolve()
    },
    (reason) => {
      throw new Error(reason)
    },
  )
  for (let each = 0; each < count; each++) send(header, body)
  await promise
  return count
}

function json(count: number): number {
  return times(count, () => {
    const text = Buffer.from(JSON.stringify(header) + body)
    return JSON.parse(text.toString('utf8', 0, text.length - body.length))
  })
}
