/**
 * The attacks of test/hostile, timed: how long after its limit each ends, how much later a bystander's runs come
 * meanwhile, and how long the engine's event loop is held up.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { packageVersion } from '../src/lib/version.ts'
import { type Attack, attackingCallback, scriptOf } from '../test/hostile/attack.ts'
import { classes } from '../test/hostile/corpus.ts'
import { startHostileServer } from '../test/hostile/hostile-server.ts'
import { median, shown } from './figures.ts'
import { openStage, type Stage } from './hostile-stage.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook, Target } from './report.ts'

export const hostileMethod = [
  'Every attack of test/hostile, one after the other, in one engine in this process. "after its limit": how long a',
  'run took beyond its timeout, or the load of a script that is refused beyond the five seconds of the look at it.',
  '"bystander": from the answer to an upload until another script has run for it, less the median of that with no',
  'attack; the runs of attacks under which the child had to be killed count by themselves. The worst of all attacks',
  'in each round; what is beyond the targets is named while it runs.',
]

/** Of the look into a script that is saved, before its own limits are known. */
const lookMs = 5_000
/** Between two uploads for the bystander. */
const pauseMs = 50

interface Figures {
  readonly afterLimitMs: number
  readonly bystanderMs: number
  readonly wasKilled: boolean
  readonly stallMs: number
}

/** Makes every attack, in each round, and notes the worst of each figure. */
export async function measureHostile(notebook: Notebook, { pairs, isQuick, only }: Rounds): Promise<void> {
  const attacks = Object.values(classes).flat()
  const chosen = attacks.filter(
    ({ number }, index) => only?.includes(number) ?? (!isQuick || index % 20 === 0),
  )
  notebook.versions.OnStable = packageVersion()
  await using outside = await startHostileServer()
  for (let round = 1; round <= pairs; round++) {
    await using stage = await openStage()
    const usualMs = await usual(stage)
    console.error(`round ${round}/${pairs}: the bystander usually runs after ${shown(usualMs)} ms`)
    const all: Figures[] = []
    for (const attack of chosen) all.push(await make(stage, attack, outside.url, usualMs))
    noteWorst(notebook, all)
  }
}

function noteWorst(notebook: Notebook, all: readonly Figures[]): void {
  const note = (name: string, figures: readonly number[], atMost: number) => {
    const target: Target = { of: 'value', atMost }
    if (figures.length > 0) notebook.note(name, 'ms', 'OnStable', Math.max(...figures), target)
  }
  const killed = all.filter(({ wasKilled }) => wasKilled)
  const lived = all.filter(({ wasKilled }) => !wasKilled)
  note(
    'end of an attack after its limit',
    all.map(({ afterLimitMs }) => afterLimitMs),
    limits.afterLimitMs,
  )
  note(
    "bystander's run, later than usual",
    lived.map(({ bystanderMs }) => bystanderMs),
    limits.bystanderMs,
  )
  note(
    'the same where the child was killed',
    killed.map(({ bystanderMs }) => bystanderMs),
    limits.killedMs,
  )
  note(
    "longest stall of the engine's event loop",
    all.map(({ stallMs }) => stallMs),
    limits.stallMs,
  )
}

const limits = { afterLimitMs: 1_000, bystanderMs: 250, killedMs: 2_000, stallMs: 100 }

async function usual(stage: Stage): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < 60; count++) {
    times.push(await stage.bystanderMs())
    await wait(pauseMs)
  }
  // The first ones are those of code that was just compiled.
  return median(times.slice(20))
}

async function make(stage: Stage, attack: Attack, outsideUrl: string, usualMs: number): Promise<Figures> {
  const text = scriptOf(attack).replaceAll('OUTSIDE', outsideUrl)
  const deathsBefore = stage.deaths()
  const loop = monitorEventLoopDelay({ resolution: 5 })
  let isOver = false
  const attacking = stage.attack(text, attackingCallback(attack)).finally(() => {
    isOver = true
  })
  attacking.catch(() => {})
  loop.enable()
  let worstMs = 0
  while (!isOver) {
    worstMs = Math.max(worstMs, await stage.bystanderMs())
    await wait(pauseMs)
  }
  const { outcome, durationMs } = await attacking
  loop.disable()
  const figures: Figures = {
    afterLimitMs: Math.max(0, durationMs - (outcome === 'refused' ? lookMs : timeoutMs(text))),
    bystanderMs: Math.max(0, worstMs - usualMs),
    wasKilled: stage.deaths() > deathsBefore,
    stallMs: loop.max / 1e6,
  }
  sayWhatIsBeyond(attack, outcome, figures)
  return figures
}

function sayWhatIsBeyond({ number, name }: Attack, outcome: string, figures: Figures): void {
  const { afterLimitMs, bystanderMs, wasKilled, stallMs } = figures
  const beyond = [
    afterLimitMs > limits.afterLimitMs ? `ended ${shown(afterLimitMs)} ms after its limit` : null,
    bystanderMs > (wasKilled ? limits.killedMs : limits.bystanderMs)
      ? `bystander ${shown(bystanderMs)} ms late${wasKilled ? ', child killed' : ''}`
      : null,
    stallMs > limits.stallMs ? `event loop held up for ${shown(stallMs)} ms` : null,
  ].filter((each) => each !== null)
  if (beyond.length > 0) console.error(`  ${number} ${name} (${outcome}): ${beyond.join('; ')}`)
}

/** The last that the text says counts, as in the script. */
function timeoutMs(text: string): number {
  const found = [...text.matchAll(/timeout: '(\d+)(ms|s)'/g)].at(-1)
  if (found === undefined) return 30_000
  return Number(found[1]) * (found[2] === 's' ? 1_000 : 1)
}
