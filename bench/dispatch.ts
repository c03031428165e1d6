/**
 * Deliveries: how soon they are begun, how fast a backlog drains and what memory that takes, and what a study that
 * always fails or a script that always hangs does to the others.
 */
import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { packageVersion } from '../src/lib/version.ts'
import { familyOf } from '../test/support/processes.ts'
import { type StageScript, startStage } from './dispatch-stage.ts'
import { quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook } from './report.ts'
import { newInstance, recordAll, scriptsNamed, startsAfter } from './starts.ts'

export const dispatchMethod = [
  'The store, the runtime and the dispatch of the server, in this process, with its child process as it is in service.',
  '"backlog": 100,000 instances are recorded while all is paused; the time runs from the end of the pause to the last',
  'run. Memory is resident, of this process and its children, looked at ten times a second, and compared with that',
  'before the end of the pause; two backlogs of a quarter of the size have been drained before, unmeasured.',
  '"poison": 1,000 studies, of which one always fails, against 1,000 that do not: until the others have ended.',
  '"hanging": some 25 instances a second, at uneven intervals, told to 4 scripts, beside a fifth that loops for ever and is',
  'cut off after a second, against the same four alone; "known to loop" are the runs from the fifth second on, when it has',
  'been cut off three times and has the lowest priority. The third side is the same four beside a loop that is no script,',
  'a process of the lowest priority that is none of ours: what any program that computes costs on such a machine.',
]

export async function measureDispatch(notebook: Notebook, { pairs, isQuick }: Rounds): Promise<void> {
  notebook.versions.OnStable = packageVersion()
  for (let round = 1; round <= pairs; round++) {
    const says = (text: string) => console.error(`round ${round}/${pairs}, ${text}`)
    await measureBacklog(notebook, says, isQuick ? 4_800 : 100_000)
    await measurePoison(notebook, says, isQuick ? 200 : 1_000)
    await measureHanging(notebook, says, isQuick ? 2 : 20)
  }
}

/** Of each side of a comparison, in each round. */
const turns = 5
/** After its third stop a script that loops gives way to the others. */
const knownAfterMs = 5_000

type Say = (text: string) => void

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
    notebook.note('beside a poisoned study, the others', 'ms', 'OnStable', with1)
    notebook.note('without a poisoned study', 'ms', 'OnStable', without)
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
  const pace = { make: newInstance, perSecond: 25, seconds, toldEach: 4, isUneven: true }
  const p99 = async (scripts: readonly StageScript[]) => {
    const starts = await startsAfter(scripts, pace, (name) => name !== 'hangs')
    const known = starts.filter(({ sinceMs }) => sinceMs >= Math.min(knownAfterMs, (seconds * 1_000) / 2))
    return [starts, known].map((some) =>
      quantile(
        some.map(({ lateMs }) => lateMs),
        0.99,
      ),
    )
  }
  const four = scriptsNamed(4)
  for (let turn = 0; turn < turns; turn++) {
    const sides = {
      'beside a hanging script': await p99([...four, hanging]),
      'without it': await p99(four),
      'beside a loop that is no script': await besideLoop(() => p99(four)),
    }
    for (const [side, [all, known]] of Object.entries(sides)) {
      notebook.note(`hanging, ${side}, p99`, 'ms', 'OnStable', all!)
      notebook.note(`hanging, ${side}, p99 once known to loop`, 'ms', 'OnStable', known!)
      says(`hanging: p99 of the others ${shown(all!)} ms, once known to loop ${shown(known!)} ms, ${side}`)
    }
  }
}

async function besideLoop<T>(measured: () => Promise<T>): Promise<T> {
  const loop = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
  try {
    setPriority(loop.pid!, constants.priority.PRIORITY_LOW)
    return await measured()
  } finally {
    loop.kill('SIGKILL')
  }
}

function familyMb(): number {
  return familyOf(process.pid).reduce((sum, { residentMb }) => sum + residentMb, 0)
}
