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
  harmlessText,
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
const allowanceMb = 192
/** What it may hold more after all of them. */
const allowanceInAllMb = 256
/** What it may hold at any moment: one process up to where it is killed, what it takes until then, the others. */
const mostMb = 2_560
/** JSON of what is kept of a run: of its error, and of its log, of which each byte may take six. */
const reasonLength = 64 * 1024
const logsLength = 6 * 64 * 1024

/** A server that has just started has neither compiled its code nor filled its caches: that takes so many attacks. */
const warmAfter = 100

let theatre: Theatre
/** The most that the family held after each of the first attacks, when all had been given back. */
let warmMb = 0
let made = 0
beforeAll(async () => {
  theatre = await openTheatre()
})
afterAll(() => theatre[Symbol.asyncDispose]())

it('every attack has a number and a name of its own', () => {
  const attacks = Object.values(classes).flat()
  expect(new Set(attacks.map(({ number }) => number)).size).toBe(attacks.length)
  expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length)
})

describe.each(Object.entries(classes))('attacks: %s', (_, attacks) => {
  it.each(attacks)('$number $name', { timeout: 60_000 }, async (attack) => {
    const beforeMb = theatre.residentMb()
    const beforeRun = theatre.lastRun()
    theatre.mostResidentMb()
    const { id, outcome, reason } = await withBystander(() => make(attack, beforeRun))
    expect(attack.outcomes, reason).toContain(outcome)
    await withBystander(async () => {})
    await theatre.untilIdle()
    const runs = theatre.runsAfter(beforeRun)
    for (const run of runs) expectSound(run)
    expect(runs.filter((run) => !isAttack(run, attack) && run.outcome !== 'ok')).toEqual([])
    expect(runs.filter(({ script }) => script !== hostileScript).length).toBeGreaterThan(0)
    if (outcome !== 'refused')
      expect(runs.filter((run) => run.id > id && isHarmless(run, attack))).not.toEqual([])
    await memoryGivenBack(beforeMb + allowanceMb)
    if (++made <= warmAfter) warmMb = Math.max(warmMb, theatre.residentMb())
    expect(theatre.mostResidentMb()).toBeLessThan(mostMb)
  })
})

describe('attacks by several scripts at once', () => {
  const crowd = [1, 35, 206, 301, 505, 711].map((number) => attackOf(number))
  const nameOf = ({ number }: Attack) => `crowd-${number}.ts`

  it('each ends as it would alone, and nobody else notices', { timeout: 60_000 }, async () => {
    for (const attack of crowd) theatre.save(scriptOf(attack), nameOf(attack))
    await until('all to be in force', async () => {
      const statuses = await Promise.all(crowd.map((attack) => theatre.status(nameOf(attack))))
      return statuses.every((status) => status?.state === 'in-force')
    })
    const beforeRun = theatre.lastRun()
    const runOf = (attack: Attack) =>
      theatre
        .runsAfter(beforeRun)
        .find(({ script, callback }) => script === nameOf(attack) && callback === attackingCallback(attack))
    await withBystander(async () => {
      await theatre.attack(`CROWD-${beforeRun}`)
      await until('all to have ended', () => crowd.every(runOf), 30_000)
    })
    await theatre.untilIdle()
    for (const attack of crowd) expect(attack.outcomes, attack.name).toContain(runOf(attack)!.outcome)
    const runs = theatre.runsAfter(beforeRun)
    for (const run of runs) expectSound(run)
    expect(runs.filter((run) => run.callback !== 'onNewSeries' && run.outcome !== 'ok')).toEqual([])
    expect(theatre.mostResidentMb()).toBeLessThan(mostMb)
    for (const attack of crowd) theatre.save(harmlessText(attack.number), nameOf(attack))
  })
})

describe('after all of it', () => {
  it('the memory is what it was at the beginning', { timeout: 60_000 }, async () => {
    theatre.save(harmlessText(0))
    await memoryGivenBack(warmMb + allowanceInAllMb)
  })

  it('the server has run through, its log tells of no error of its own, and no process is left', async () => {
    expect(theatre.server.lives).toHaveLength(1)
    expect(theatre.server.hasExited()).toBe(false)
    await theatre.server.stop()
    expect(theatre.processes().filter(isRunning)).toEqual([])
    expect(ownErrorsIn(theatre.server.stderr())).toEqual([])
  })
})

function attackOf(number: number): Attack {
  return Object.values(classes)
    .flat()
    .find((attack) => attack.number === number)!
}

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
async function make(attack: Attack, beforeRun: number): Promise<Pick<Run, 'id' | 'outcome' | 'reason'>> {
  const text = scriptOf(attack).replaceAll('OUTSIDE', theatre.outsideUrl)
  const { version, reason } = await save(text)
  if (version === null) {
    await replace(attack)
    return { id: 0, outcome: 'refused', reason }
  }
  for (let sent = 0; sent < (attack.instancesBefore ?? 0); sent++) await theatre.poke()
  await theatre.untilIdle()
  await theatre.attack(`HOSTILE-${attack.number}-${beforeRun}`)
  const run = await until(
    'the run to end',
    () => theatre.runsAfter(beforeRun).find((each) => isAttack(each, attack) && each.version === version),
    limitMs(text) + outcomeMs,
  )
  if (attack.isReplaced) {
    await replace(attack)
    await sleep(1_500)
  }
  return run
}

/** The next save is served, whatever the last one was. */
async function replace({ number }: Attack): Promise<void> {
  const { version, reason } = await save(harmlessText(number))
  expect(version, reason).not.toBe(null)
}

/** Saves the hostile script. @returns its version, or null if it was refused, and why */
async function save(text: string): Promise<{ version: string | null; reason: string }> {
  const before = await theatre.status()
  const isNews = ({ version, problem }: ScriptStatus) =>
    (problem === null && version !== before?.version) ||
    (problem !== null && problem.at !== before?.problem?.at)
  theatre.save(text)
  const { version, problem } = await until(
    'the script to be in force or refused',
    async () => {
      const status = await theatre.status()
      return status !== null && isNews(status) ? status : null
    },
    loadMs + outcomeMs,
  )
  if (problem === null) return { version, reason: '' }
  const reason = JSON.stringify(problem)
  expectNoLeak(reason)
  expect(version).toBe(before?.version)
  return { version: null, reason }
}

function limitMs(text: string): number {
  const [, number, unit] = /.*timeout: '(\d+)(ms|s)'/.exec(text) ?? []
  return number === undefined ? 30_000 : Number(number) * (unit === 's' ? 1_000 : 1)
}

function isAttack({ script, callback }: Run, attack: Attack): boolean {
  return script === hostileScript && callback === attackingCallback(attack)
}

/** A run of another callback of the hostile script, which did what it should, and only that. */
function isHarmless({ script, outcome, logs }: Run, attack: Attack): boolean {
  const line = JSON.stringify([{ level: 'info', text: harmlessLine(attack) }])
  return script === hostileScript && outcome === 'ok' && logs === line
}

/** What is kept of a run is not more than it should be, and says nothing that a script may not know. */
function expectSound({ outcome, reason, logs }: Run): void {
  expect(outcomes).toContain(outcome)
  expect(reason === '').toBe(outcome === 'ok')
  expect(reason.length).toBeLessThan(reasonLength)
  expect(logs.length).toBeLessThan(logsLength)
  expectNoLeak(reason, logs)
}

/** No text says what a script may not know. */
function expectNoLeak(...texts: readonly string[]): void {
  const forbidden = new Map([...theatre.forbidden, [escapeWord, 'an escape']])
  for (const text of texts) {
    for (const [words, meaning] of forbidden) expect(text.includes(words), `${meaning}: ${text}`).toBe(false)
  }
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

/** Errors that are not of a script: neither logged by one nor why one was refused. */
function ownErrorsIn(log: string): string[] {
  return log.split('\n').filter((line) => {
    if (line === '') return false
    const entry = parsed(line)
    if (entry === null) return true
    const isOfRun = entry.callback !== undefined
    const isRefusal = /(It is not served|The version before stays in force)$/.test(entry.msg ?? '')
    return (entry.level ?? 0) >= 50 && !isOfRun && !isRefusal
  })
}

interface LogEntry {
  readonly level?: number
  readonly callback?: string
  readonly msg?: string
}

function parsed(line: string): LogEntry | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
