/**
 * What growth costs: the same measures on servers that hold more and more instances, open windows, scripts and
 * deliveries that wait.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { z } from 'zod'
import { send, upload } from './clients.ts'
import { quantile, shown } from './figures.ts'
import { type Filling, fillFolder, usualFilling } from './filled-folder.ts'
import type { Rounds } from './ingest.ts'
import { startOnStable } from './onstable-server.ts'
import { proportionalMb } from './process-cost.ts'
import type { Notebook, Target } from './report.ts'
import { makeSamples } from './samples.ts'
import type { Server } from './server.ts'

/** One server of a kind that grows. */
interface Step {
  readonly of: string
  readonly count: number
  readonly filling: Filling | null
  readonly scripts: number
}

const anHourMs = 3_600_000
const hourOld = [{ from: 0, ms: anHourMs }]
const settled = { ...usualFilling, arrivedMsAgo: hourOld, ageMs: 1_000, isStable: true }
const unsettled = {
  ...{ perSeries: 1, seriesPerStudy: 1, isStable: false, owedTo: null },
  ...{ arrivedMsAgo: [{ from: 0, ms: 1_000 }], ageMs: anHourMs },
}

function steps(isQuick: boolean): Step[] {
  const counts = (...all: number[]) => (isQuick ? [all[0]!, all[1]! / 10] : all)
  return [
    ...counts(0, 10_000, 100_000, 1_000_000).map((count) => ({
      ...{ of: 'instances held', count, scripts: 1 },
      filling: { ...settled, instances: count, owedTo: null },
    })),
    // A patient, a study and a series each.
    ...counts(1_000, 10_000, 100_000, 1_000_000).map((count) => ({
      ...{ of: 'windows open', count, scripts: 1 },
      filling: { ...unsettled, instances: Math.round(count / 3) },
    })),
    ...counts(1, 10, 50, 200).map((count) => ({
      of: 'scripts',
      count,
      scripts: count,
      filling: null,
    })),
    ...counts(0, 1_000, 10_000, 100_000).map((count) => ({
      ...{ of: 'deliveries that wait', count, scripts: 1 },
      filling: { ...settled, instances: count, owedTo: 'paused.js' },
    })),
  ]
}

export const growthMethod = [
  'Each figure is of a server started on a data folder that was filled before: instances of 200 to a series and five',
  'series to a study, all stable; or, for open windows, studies of one instance, an hour before they are due; or a log',
  'whose every instance is owed to a script that is paused. Scripts are told of stable studies, one of them of each',
  'stored instance besides. "start" is from the start of the process until it serves and has its scripts in force;',
  '"memory" is of all its processes ten seconds later, what they share in parts; "ingest" is instances of 6 KB over four',
  'connections, callbacks included; "/changes" is a page of 100 from the middle of the log; "late" is how long after its',
  'stable age of a second the event of a study is committed, by its own time stamps.',
]

/** Every step in each round; folders are filled once, and hold a little more each time. */
export async function measureGrowth(notebook: Notebook, { pairs, isQuick }: Rounds): Promise<void> {
  const all = steps(isQuick)
  const folders = new Map<Step, string>()
  for (let round = 1; round <= pairs; round++) {
    for (const step of all) {
      const { filling } = step
      if (filling !== null && filling.instances > 0 && !folders.has(step)) {
        const startMs = performance.now()
        folders.set(step, await fillFolder(filling))
        console.error(
          `${step.of}, ${shown(step.count)}: filled in ${shown((performance.now() - startMs) / 1_000)} s`,
        )
      }
      const found = await measureStep(notebook, step, folders.get(step), isQuick)
      for (const [what, unit, figure] of found) {
        const name = `${step.of}, ${step.count.toLocaleString('en')}: ${what}`
        notebook.note(name, unit, 'OnStable', figure)
      }
      const line = found.map(([what, unit, figure]) => `${what} ${shown(figure)} ${unit}`).join(', ')
      console.error(`round ${round}/${pairs}, ${step.of}, ${step.count.toLocaleString('en')}: ${line}`)
    }
    noteRatios(notebook)
  }
}

type Found = readonly [what: string, unit: string, figure: number]

async function measureStep(
  notebook: Notebook,
  { scripts }: Step,
  data: string | undefined,
  isQuick: boolean,
): Promise<Found[]> {
  const lateMs: number[] = []
  const startMs = performance.now()
  await using server = await startOnStable({
    stableAgeSeconds: 1,
    milestones: [],
    ...(data === undefined ? {} : { data }),
    scripts: scriptsOf(scripts),
    onLine: (line) => {
      const [, last, at] = /stable last=(\d+) at=(\d+)/.exec(line) ?? []
      if (last !== undefined) lateMs.push(Number(at) - Number(last) - 1_000)
    },
  })
  const startedMs = performance.now() - startMs
  notebook.versions.OnStable = server.version
  await delay(isQuick ? 1_000 : 10_000)
  const memoryMb = proportionalMb(server.pid)
  const held = await heldBy(server)
  const pagesMs = await readPages(server)
  const perSecond = await ingest(server, held, isQuick ? 200 : 2_000)
  await delay(1_500)
  lateMs.length = 0
  const studies = isQuick ? 10 : 60
  await settleOneByOne(server, studies)
  // With many scripts it takes a while until the one that says so has its turn.
  for (let waitedMs = 0; lateMs.length < studies; waitedMs += 100) {
    if (waitedMs > 60_000) throw new Error(`Of ${studies} studies ${lateMs.length} were told as stable`)
    await delay(100)
  }
  return [
    ['start', 'ms', startedMs],
    ['memory', 'MB', memoryMb],
    ['ingest', 'instances/s', perSecond],
    ['/changes', 'ms', quantile(pagesMs, 0.5)],
    ['late, median', 'ms', quantile(lateMs, 0.5)],
    ['late, p99', 'ms', quantile(lateMs, 0.99)],
  ]
}

function scriptsOf(count: number): Record<string, string> {
  const stable = `export function onStableStudy(study) {
    console.warn('stable last=' + Date.parse(study.lastArrival) + ' at=' + Date.parse(study.at))
  }
  export function onStoredInstance() {}`
  const others = Array.from({ length: count - 1 }, (_, at) => [
    `other-${at + 1}.js`,
    `export function onStableStudy() { return ${at} }`,
  ])
  return Object.fromEntries([['first.js', stable], ...others])
}

async function heldBy({ url }: Server): Promise<number> {
  const { CountInstances } = z
    .object({ CountInstances: z.number() })
    .parse(await (await fetch(`${url}/statistics`)).json())
  return CountInstances
}

async function readPages({ url }: Server): Promise<number[]> {
  const client = new Client(url)
  const read = async (path: string) => (await client.request({ method: 'GET', path })).body.json()
  const { Last } = z.object({ Last: z.number() }).parse(await read('/changes?last'))
  const took: number[] = []
  for (let each = 0; each < 60; each++) {
    const startMs = performance.now()
    await read(`/changes?since=${Math.floor(Last / 2) + each}&limit=100`)
    took.push(performance.now() - startMs)
  }
  await client.close()
  return took.slice(10)
}

/** Half of them unmeasured before. */
async function ingest(server: Server, held: number, count: number): Promise<number> {
  const set = { size: '6 KB', studies: 22, seriesPerStudy: 5 } as const
  const samples = makeSamples({ ...set, instances: count * 1.5, run: Date.now() })
  await send(server, 'HTTP', 4, samples.slice(0, count / 2))
  await server.drained(held + count / 2)
  const { firstSendMs, lastAnswerMs } = await send(server, 'HTTP', 4, samples.slice(count / 2))
  const drainedAtMs = Math.max(lastAnswerMs, await server.drained(held + count * 1.5))
  return (count * 1_000) / (drainedAtMs - firstSendMs)
}

/** Studies of one instance at random moments. */
async function settleOneByOne(server: Server, studies: number): Promise<void> {
  const set = { size: '6 KB', instances: studies, studies, seriesPerStudy: 1 } as const
  const client = new Client(server.url)
  for (const sample of makeSamples({ ...set, run: Date.now() })) {
    await upload(client, sample)
    await delay(Math.random() * 60)
  }
  await client.close()
}

/** What the issue of growth comes to: the largest against the smallest, of this round. */
function noteRatios(notebook: Notebook): void {
  const last = (name: string) => notebook.cases.find((each) => each.name === name)?.figures.OnStable?.at(-1)
  const note = (name: string, unit: string, figure: number, target: Target) =>
    notebook.note(name, unit, 'OnStable', figure, target)
  const [empty, full] = [last('instances held, 0: ingest'), last('instances held, 1,000,000: ingest')]
  if (empty !== undefined && full !== undefined)
    note('ingest kept at 1,000,000 instances', '%', (full / empty) * 100, { of: 'value', atLeast: 80 })
  const [few, many] = [last('windows open, 1,000: memory'), last('windows open, 1,000,000: memory')]
  if (few !== undefined && many !== undefined)
    note('memory added by 1,000,000 windows', 'MB', many - few, { of: 'value', atMost: 100 })
}
