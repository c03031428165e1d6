/**
 * The law of the sandbox: whatever a script does, its run ends with the outcome that is right, in time, and nobody
 * else notices. One server stands through all of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRunning } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { type Attack, attackingCallback, escapeWord, harmlessLine, outcomes, scriptOf } from './attack.ts'
import { classes } from './corpus.ts'
import {
  emptyText,
  hostileScript,
  openTheatre,
  type Run,
  type ScriptStatus,
  type Theatre,
} from './theatre.ts'

/** How long after its time limit an outcome may be seen; how exact the limit is, a benchmark says. */
const outcomeMs = 5_000
/** Time limit of the look at a script that is saved, and of its load. */
const loadMs = 10_000
/** What the family of processes may hold more than before an attack: a heap within its limit, and garbage. */
const allowanceMb = 128
/** What it may hold more after all of them. */
const allowanceInAllMb = 192

let theatre: Theatre
let firstMb: number
beforeAll(async () => {
  theatre = await openTheatre()
  firstMb = theatre.residentMb()
})
afterAll(() => theatre[Symbol.asyncDispose]())

describe.each(Object.entries(classes))('attacks: %s', (_, attacks) => {
  it.each(attacks)('$number $name', { timeout: 60_000 }, async (attack) => {
    const beforeMb = theatre.residentMb()
    const beforeRun = theatre.lastRun()
    const outcome = await withBystander(() => make(attack, beforeRun))
    expect(outcomes).toContain(outcome)
    expect(attack.outcomes).toContain(outcome)
    await withBystander(async () => {})
    await theatre.untilIdle()
    const runs = theatre.runsAfter(beforeRun)
    for (const run of runs) expect(leaksOf(run.reason + run.logs)).toEqual([])
    expect(runs.filter((run) => !isAttack(run, attack) && run.outcome !== 'ok')).toEqual([])
    expect(runs.filter(({ script }) => script !== hostileScript).length).toBeGreaterThan(0)
    if (outcome !== 'refused') expect(harmlessCallbacks(runs, attack)).toContain('onStoredInstance')
    await memoryGivenBack(beforeMb + allowanceMb)
  })
})

describe('after all of it', () => {
  it('the memory is what it was at the beginning', { timeout: 60_000 }, async () => {
    theatre.save(emptyText)
    await memoryGivenBack(firstMb + allowanceInAllMb)
  })

  it('the server has run through, its log tells of no error of its own, and no process is left', async () => {
    expect(theatre.server.lives).toHaveLength(1)
    expect(theatre.server.hasExited()).toBe(false)
    await theatre.server.stop()
    expect(theatre.processes().filter(isRunning)).toEqual([])
    expect(ownErrorsIn(theatre.server.stderr())).toEqual([])
  })
})

/** Does the work while the bystander's instances come in, again and again, and at least once. */
async function withBystander<Result>(work: () => Promise<Result>): Promise<Result> {
  let isOver = false
  const working = work().finally(() => {
    isOver = true
  })
  // What it throws is thrown by the last line.
  working.catch(() => {})
  do {
    await theatre.poke()
    theatre.residentMb()
    await sleep(40)
  } while (!isOver)
  return await working
}

/** Saves the script, and has it run if it is not refused. */
async function make(attack: Attack, beforeRun: number): Promise<string> {
  const text = scriptOf(attack).replaceAll('OUTSIDE', theatre.outsideUrl)
  const { version } = await save(text)
  if (version === null) return 'refused'
  await theatre.attack(`HOSTILE-${attack.number}-${beforeRun}`)
  const run = await until(
    'the run to end',
    () => theatre.runsAfter(beforeRun).find((each) => isAttack(each, attack) && each.version === version),
    limitMs(text) + outcomeMs,
  )
  if (attack.isReplaced) {
    await save(emptyText)
    await sleep(1_500)
  }
  return run.outcome
}

/** Saves the hostile script. @returns its version, or null if it was refused for what its problem then says */
async function save(text: string): Promise<{ version: string | null }> {
  const before = await theatre.status()
  const isNews = ({ version, problem }: ScriptStatus) =>
    (problem === null && version !== before.version) ||
    (problem !== null && problem.at !== before.problem?.at)
  theatre.save(text)
  const { version, problem } = await until(
    'the script to be in force or refused',
    async () => {
      const status = await theatre.status()
      return isNews(status) ? status : null
    },
    loadMs + outcomeMs,
  )
  if (problem === null) return { version }
  expect(leaksOf(JSON.stringify(problem))).toEqual([])
  expect(version).toBe(before.version)
  return { version: null }
}

function limitMs(text: string): number {
  const [, number, unit] = /.*timeout: '(\d+)(ms|s)'/.exec(text) ?? []
  return number === undefined ? 30_000 : Number(number) * (unit === 's' ? 1_000 : 1)
}

function isAttack({ script, callback }: Run, attack: Attack): boolean {
  return script === hostileScript && callback === attackingCallback(attack)
}

/** Those of the hostile script that did what they should, and only that. */
function harmlessCallbacks(runs: readonly Run[], attack: Attack): string[] {
  const line = JSON.stringify([{ level: 'info', text: harmlessLine(attack) }])
  return runs
    .filter((run) => run.script === hostileScript && run.outcome === 'ok' && run.logs === line)
    .map(({ callback }) => callback)
}

/** What a text says that no script may know. */
function leaksOf(text: string): string[] {
  const leaks = [...theatre.forbidden]
    .filter(([secret]) => text.includes(secret))
    .map(([, meaning]) => meaning)
  return text.includes(escapeWord) ? [...leaks, `an escape: ${text.slice(0, 500)}`] : leaks
}

async function memoryGivenBack(mostMb: number): Promise<void> {
  let lastMb = 0
  const isGivenBack = () => {
    lastMb = theatre.residentMb()
    return lastMb <= mostMb
  }
  await until(`memory below ${Math.round(mostMb)} MB`, isGivenBack, 10_000).catch((error: Error) => {
    throw new Error(`${error.message}: there are ${Math.round(lastMb)} MB`)
  })
}

/** Messages of errors that are no script's. */
function ownErrorsIn(log: string): string[] {
  return log.split('\n').filter((line) => {
    if (line === '') return false
    const entry = parsed(line)
    return entry === null || ((entry.level ?? 0) >= 50 && entry.script === undefined)
  })
}

function parsed(line: string): { readonly level?: number; readonly script?: string } | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
