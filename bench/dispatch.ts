/**
 * Deliveries: how soon they are begun, how fast a backlog drains and what memory that takes, and what a study that
 * always fails or a script that always hangs does to the others.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { packageVersion } from '../src/lib/version.ts'
import { arrivalOf } from '../test/support/arrivals.ts'
import { familyOf } from '../test/support/processes.ts'
import { type DispatchStage, type StageScript, startStage } from './dispatch-stage.ts'
import { quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook } from './report.ts'

export const rateMethod = [
  '"500/s": a hundred changes a second over 20 scripts: instances that come, series and studies that become stable,',
  'instances that are deleted, each kind told to five of them. "In bursts": 25 instances a second, each told to all 20.',
  'The store, the runtime and the dispatch of the server, in this process, with its child process as it is in service.',
  'From the answer of the store, which has committed then, to the moment that the callback reads from its own clock,',
  'which counts whole milliseconds: half of one is added.',
]

export const dispatchMethod = [
  'The store, the runtime and the dispatch of the server, in this process, with its child process as it is in service.',
  '"backlog": 100,000 instances are recorded while all is paused; the time runs from the end of the pause to the last',
  'run. Memory is resident, of this process and its children, looked at ten times a second, and compared with that',
  'before the end of the pause; two backlogs of a quarter of the size have been drained before, unmeasured.',
  '"poison": 1,000 studies, of which one always fails, against 1,000 that do not: until the others have ended.',
  '"hanging": 10 instances a second told to 4 scripts, beside a fifth that loops for ever and is cut off after a second,',
  'against the same four alone.',
]

const usual = 'console.log(Date.now())'
const scriptsNamed = (count: number, body = usual): StageScript[] =>
  Array.from({ length: count }, (_, at) => ({ name: `s${at}`, callback: 'onStoredInstance', body }))

export async function measureDispatch(notebook: Notebook, { pairs, isQuick }: Rounds): Promise<void> {
  notebook.versions.OnStable = packageVersion()
  for (let round = 1; round <= pairs; round++) {
    const says = (text: string) => console.error(`round ${round}/${pairs}, ${text}`)
    await measureBacklog(notebook, says, isQuick ? 4_800 : 100_000)
    await measurePoison(notebook, says, isQuick ? 200 : 1_000)
    await measureHanging(notebook, says, isQuick ? 2 : 15)
  }
}

/** Of each side of a comparison, in each round. */
const turns = 5

type Say = (text: string) => void

/** Makes the n-th change, and says whom it is about. */
type MakeChange = (store: DispatchStage['store'], number: number) => Promise<string>

interface Pace {
  readonly make: MakeChange
  readonly perSecond: number
  readonly seconds: number
  /** Scripts that are told of each change, and looked at. */
  readonly toldEach: number
}

const ofStudy = (number: number) =>
  arrivalOf({ study: `S${number}`, patient: `P${number}`, instance: '1', ageMs: 3_600_000 })

const newInstance: MakeChange = async (store, number) => {
  const arrival = ofStudy(number)
  await store.record(arrival)
  return arrival.header.ids.instance
}

/** Of each instance, four changes one after the other. */
const oneOfFour: MakeChange = async (store, number) => {
  const of = Math.floor(number / 4)
  const { ids } = ofStudy(of).header
  switch (number % 4) {
    case 0:
      return await newInstance(store, of)
    case 1:
      await store.forceStable('Series', ids.series)
      return ids.series
    case 2:
      await store.forceStable('Study', ids.study)
      return ids.study
    default:
      await store.remove('Instance', ids.instance)
      return goneOf(ids.instance)
  }
}

const goneOf = (id: string) => `gone ${id}`

/** Milliseconds from the commit to the start of each run. */
async function startsAfter(
  scripts: readonly StageScript[],
  { make, perSecond, seconds, toldEach }: Pace,
  counted: (script: string) => boolean = () => true,
): Promise<number[]> {
  const committedAtMs = new Map<string, number>()
  let ended = 0
  const begun: { readonly id: string; readonly atMs: number }[] = []
  await using stage = await startStage({
    scripts,
    onEnd({ resource, script, callback }, { run }) {
      const [line] = JSON.parse(run?.logs ?? '[]') as { text: string }[]
      if (!counted(script)) return
      ended++
      // It was deleted before its turn came.
      if (line === undefined) return
      const id = callback === 'onDeletedInstance' ? goneOf(resource!.id) : resource!.id
      begun.push({ id, atMs: Number(line.text) + 0.5 })
    },
  })
  await recordAll(stage, 20, 'WARM')
  await delay(500)
  begun.length = 0
  ended = 0
  const firstMs = performance.now()
  const total = perSecond * seconds
  let previous = Promise.resolve()
  for (let n = 0; n < total; n++) {
    await delay(Math.max(0, firstMs + (n * 1_000) / perSecond - performance.now()))
    // Each behind the one before it, which it may be about.
    previous = previous
      .then(() => make(stage.store, n))
      .then((about) => {
        committedAtMs.set(about, performance.timeOrigin + performance.now())
        stage.wake()
      })
  }
  while (ended < total * toldEach) await delay(20)
  return begun.map(({ id, atMs }) => atMs - committedAtMs.get(id)!)
}

export async function measureRate(notebook: Notebook, says: Say, seconds: number): Promise<void> {
  const kinds = ['onStoredInstance', 'onStableSeries', 'onStableStudy', 'onDeletedInstance'] as const
  const mixed = scriptsNamed(20).map((script, at) => ({ ...script, callback: kinds[at % 4]! }))
  const paces: [string, readonly StageScript[], Pace][] = [
    ['500/s', mixed, { make: oneOfFour, perSecond: 100, seconds, toldEach: 5 }],
    ['500/s in bursts', scriptsNamed(20), { make: newInstance, perSecond: 25, seconds, toldEach: 20 }],
  ]
  for (const [name, scripts, pace] of paces) {
    const lateMs = await startsAfter(scripts, pace)
    const [half, most] = [quantile(lateMs, 0.5), quantile(lateMs, 0.99)]
    notebook.note(`${name}, commit to start, median`, 'ms', 'OnStable', half, { of: 'value', atMost: 2 })
    notebook.note(`${name}, commit to start, p99`, 'ms', 'OnStable', most, { of: 'value', atMost: 25 })
    says(`${name}: ${shown(half)} ms, p99 ${shown(most)} ms, of ${lateMs.length} deliveries`)
  }
}

async function measureBacklog(notebook: Notebook, says: Say, count: number): Promise<void> {
  let ended = 0
  await using stage = await startStage({ scripts: scriptsNamed(4, ''), onEnd: () => void ended++ })
  const wait = async (name: string, deliveries: number) => {
    await stage.pause(null)
    await recordAll(stage, deliveries / 4, name)
    ended = 0
  }
  // Compiled, and the heaps and caches as large as they are in service.
  for (const name of ['WARM', 'WARMER']) {
    await wait(name, count / 4)
    await stage.resume(null)
    while (ended < count / 4) await delay(20)
  }
  await wait('LATER', count)
  const before = familyMb()
  let most = before
  const looking = setInterval(() => {
    most = Math.max(most, familyMb())
  }, 100)
  const startMs = performance.now()
  await stage.resume(null)
  while (ended < count) await delay(5)
  const perSecond = (count / (performance.now() - startMs)) * 1_000
  clearInterval(looking)
  notebook.note('backlog', 'runs/s', 'OnStable', perSecond, { of: 'value', atLeast: 3_000 })
  notebook.note('backlog, memory added', 'MB', 'OnStable', most - before, { of: 'value', atMost: 50 })
  says(`backlog: ${shown(perSecond)} runs/s, ${shown(most - before)} MB more than ${shown(before)} MB`)
}

async function measurePoison(notebook: Notebook, says: Say, count: number): Promise<void> {
  const until = async (poison: string) => {
    let others = 0
    const body = `if (event.studyTags.StudyInstanceUID === '1.${poison}') throw new Error('always')`
    await using stage = await startStage({
      scripts: [{ name: 's', callback: 'onStoredInstance', body }],
      onEnd: (_, { next }) => void (next === 'done' && others++),
    })
    await recordAll(stage, 200, 'WARM')
    while (others < 200) await delay(5)
    await stage.pause(null)
    await recordAll(stage, count, 'S')
    others = 0
    const startMs = performance.now()
    await stage.resume(null)
    while (others < count - 1) await delay(1)
    return performance.now() - startMs
  }
  for (let turn = 0; turn < turns; turn++) {
    const [without, with1] = [await until('NONE'), await until(`S${Math.floor(count / 3)}`)]
    notebook.note('poison, the others', 'ms', 'with', with1)
    notebook.note('poison, the others', 'ms', 'without', without)
    says(`poison: the others in ${shown(with1)} ms with, ${shown(without)} ms without`)
  }
}

async function measureHanging(notebook: Notebook, says: Say, seconds: number): Promise<void> {
  const hanging: StageScript = {
    name: 'hangs',
    callback: 'onStoredInstance',
    body: 'for (;;);',
    timeoutMs: 1_000,
    attempts: 1,
  }
  const pace = { make: newInstance, perSecond: 10, seconds, toldEach: 4 }
  const p99 = async (scripts: readonly StageScript[]) =>
    quantile(await startsAfter(scripts, pace, (name) => name !== 'hangs'), 0.99)
  for (let turn = 0; turn < turns; turn++) {
    const [without, with1] = [await p99(scriptsNamed(4)), await p99([...scriptsNamed(4), hanging])]
    notebook.note('hanging, p99 of the others', 'ms', 'with', with1)
    notebook.note('hanging, p99 of the others', 'ms', 'without', without)
    says(`hanging: p99 ${shown(with1)} ms with, ${shown(without)} ms without`)
  }
}

/** So many instances of studies of their own, hundreds at a time. */
async function recordAll({ store, wake }: DispatchStage, count: number, name: string): Promise<void> {
  for (let first = 0; first < count; first += 500) {
    const some = Array.from({ length: Math.min(500, count - first) }, (_, at) =>
      arrivalOf({
        study: `${name}${first + at}`,
        patient: `${name}${first + at}`,
        instance: '1',
        ageMs: 3_600_000,
      }),
    )
    await Promise.all(some.map((arrival) => store.record(arrival)))
    wake()
  }
}

function familyMb(): number {
  return familyOf(process.pid).reduce((sum, { residentMb }) => sum + residentMb, 0)
}
