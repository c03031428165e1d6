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
import { type Observation, observe, observeCluster } from './observe.ts'
import { type RunRow, readRuns } from './observe-database.ts'
import { type PlanSettings, planWaves, type Wave } from './plan.ts'
import { differencesOf } from './rules/differences.ts'
import { sendAll, type Target } from './sending.ts'
import { type ClusterOptions, startServed } from './served.ts'
import { childEndsIn, errorsIn } from './server-log.ts'
import { makeTrouble } from './trouble.ts'

export interface CampaignOptions extends PlanSettings {
  /** An existing folder for the server's data, which is left there. */
  readonly data: string
  /** Another engine than that of the project. */
  readonly main?: string
  /** Several servers on one database. */
  readonly cluster?: ClusterOptions | null
  onProgress(acknowledged: number, kills: number): void
}

export interface CampaignResult {
  readonly figures: Figures
  /** What was broken, one sentence each. */
  readonly violations: readonly string[]
  /** What the campaign was to do and did not, one sentence each. */
  readonly shortfalls: readonly string[]
  readonly history: History
  readonly seen: Observation
  /** All that the server logged. */
  readonly log: string
}

/** A series stays unstable longest, so that studies and patients have to wait for theirs. */
const agesMs = { Patient: 1_000, Study: 1_100, Series: 1_400 }
const idlePatienceMs = 120_000

export async function runCampaign({
  data,
  main,
  cluster = null,
  onProgress,
  ...settings
}: CampaignOptions): Promise<CampaignResult> {
  await using served = await startServed({ agesMs, data, cluster, ...(main === undefined ? {} : { main }) })
  const { server, servers, history } = served
  using _ = endAtExit(servers)
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
    if (cluster === null) runs.push(...readRuns(data, runs))
  }
  await untilIdle(server, idlePatienceMs)
  const gone = servers.find((each) => each.hasExited())
  if (gone !== undefined) throw new Error(`A server ended by itself: ${gone.stderr().slice(-2_000)}`)
  const log = servers.map((each) => each.stderr()).join('\n')
  killer.noteLeftovers()
  history.surprises.push(
    ...errorsIn(log)
      .filter((message) => isSurprising(message, history))
      .map((message) => `The server logged an error: ${message}`),
  )
  history.childEndsMs.push(...childEndsIn(log))

  const seen =
    cluster === null
      ? await observe(server.url, data, runs)
      : await observeCluster(server.url, data, cluster.store)
  const violations = [...check(history, seen), ...(await differencesOf(servers))]
  const figures = figuresOf(settings, killer.count(), history, seen, violations.length)
  return { figures, violations, shortfalls: shortfallsOf(settings, figures), history, seen, log }
}

/** A script that was broken is refused, and a child that is killed at its start cannot be started. */
const isSurprising = (message: string, { outages, cuts, hasOthers }: History) =>
  !/[:.] The version before stays in force$|^Cannot start a child process; trying again$/.test(message) &&
  !(outages.length + cuts.length > 0 && isOfOutage(message)) &&
  // Loaded too slowly on a machine that has nothing left; others run it, and it is tried again.
  !(hasOthers && /took longer than its limit.*It is not served by this server$/.test(message))

/** What a server says of a database that is not there. */
const isOfOutage = (message: string) =>
  /trying again( later)?$|brought into force$|could not be (stored|removed)$/.test(message)

function uploadsOf(waves: readonly Wave[]): Set<Target['history']['uploads'][number]> {
  const tasks = waves.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.tasks))
  return new Set(tasks.flatMap(({ uploads }) => uploads))
}

/** Waits for both even if one fails: what still runs could start a server that nobody ends. */
async function allDone(parts: readonly (Promise<void> | null)[]): Promise<void> {
  for (const end of await Promise.allSettled(parts)) if (end.status === 'rejected') throw end.reason
}

/** Leaves no server behind when this process is interrupted. */
function endAtExit(servers: readonly TestServer[]): Disposable {
  const end = () => {
    for (const server of servers) if (!server.hasExited()) process.kill(server.pid, 'SIGKILL')
  }
  process.once('exit', end)
  return { [Symbol.dispose]: () => process.removeListener('exit', end) }
}
