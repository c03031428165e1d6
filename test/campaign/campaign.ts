/**
 * A campaign: a server is killed by chance again and again while instances arrive and many studies are unstable;
 * afterwards everything that can be seen is compared with what the clients did and were told.
 */
import type { TestServer } from '../support/server.ts'
import { check } from './check.ts'
import { untilIdle } from './client.ts'
import { type Figures, figuresOf, shortfallsOf } from './figures.ts'
import { type History, isAcknowledged } from './history.ts'
import { createKiller } from './killing.ts'
import { observe } from './observe.ts'
import { type RunRow, readRuns } from './observe-database.ts'
import { type PlanSettings, planWaves, type Wave } from './plan.ts'
import { sendAll, type Target } from './sending.ts'
import { startServed } from './served.ts'
import { childEndsIn, errorsIn } from './server-log.ts'
import { makeTrouble } from './trouble.ts'

export interface CampaignOptions extends PlanSettings {
  /** An existing folder for the server's data, which is left there. */
  readonly data: string
  /** Another engine than that of the project. */
  readonly main?: string
  onProgress(acknowledged: number, kills: number): void
}

export interface CampaignResult {
  readonly figures: Figures
  /** What was broken, one sentence each. */
  readonly violations: readonly string[]
  /** What the campaign was to do and did not, one sentence each. */
  readonly shortfalls: readonly string[]
  readonly history: History
  /** All that the server logged. */
  readonly log: string
}

/** A series stays unstable longest, so that studies and patients have to wait for theirs. */
const agesMs = { Patient: 1_000, Study: 1_100, Series: 1_400 }
const idlePatienceMs = 120_000

export async function runCampaign({
  data,
  main,
  onProgress,
  ...settings
}: CampaignOptions): Promise<CampaignResult> {
  await using served = await startServed({ agesMs, data, ...(main === undefined ? {} : { main }) })
  const { server, history } = served
  using _ = endAtExit(server)
  const waves = planWaves(settings)
  history.uploads.push(...uploadsOf(waves))
  const killer = createKiller(served)
  const onTaskDone = () => onProgress(history.uploads.filter(isAcknowledged).length, killer.count())

  const runs: RunRow[] = []
  for (const { lanes, kill, troubles } of waves) {
    await allDone([
      sendAll(served, lanes, onTaskDone),
      kill === null ? null : killer.strike(kill),
      makeTrouble(served, troubles, served.scripts),
    ])
    runs.push(...readRuns(data, runs))
  }
  await untilIdle(server, idlePatienceMs)
  if (server.hasExited()) throw new Error(`The server ended by itself: ${server.stderr().slice(-2_000)}`)
  killer.noteLeftovers()
  history.surprises.push(
    ...errorsIn(server.stderr())
      .filter(isSurprising)
      .map((message) => `The server logged an error: ${message}`),
  )
  history.childEndsMs.push(...childEndsIn(server.stderr()))

  const seen = await observe(server.url, data, runs)
  const violations = check(history, seen)
  const figures = figuresOf(settings, killer.count(), history, seen, violations.length)
  return { figures, violations, shortfalls: shortfallsOf(settings, figures), history, log: server.stderr() }
}

/** A script that was broken is refused, and a child that is killed at its start cannot be started. */
const isSurprising = (message: string) =>
  !/[:.] The version before stays in force$|^Cannot start a child process; trying again$/.test(message)

function uploadsOf(waves: readonly Wave[]): Set<Target['history']['uploads'][number]> {
  const tasks = waves.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.tasks))
  return new Set(tasks.flatMap(({ uploads }) => uploads))
}

/** Waits for both even if one fails: what still runs could start a server that nobody ends. */
async function allDone(parts: readonly (Promise<void> | null)[]): Promise<void> {
  for (const end of await Promise.allSettled(parts)) if (end.status === 'rejected') throw end.reason
}

/** Leaves no server behind when this process is interrupted. */
function endAtExit(server: TestServer): Disposable {
  const end = () => {
    if (!server.hasExited()) process.kill(server.pid, 'SIGKILL')
  }
  process.once('exit', end)
  return { [Symbol.dispose]: () => process.removeListener('exit', end) }
}
