/** What a campaign did, in numbers, and whether that was what it had to do. */
import { familyOf } from './family.ts'
import { type History, isAcknowledged, isCutOff } from './history.ts'
import type { Observation } from './observe.ts'
import type { PlanSettings } from './plan.ts'

export interface Figures {
  readonly seed: number
  readonly kills: number
  readonly killsWhileStarting: number
  /** What else was done to the server and its children, and how often it stood still. */
  readonly troubles: number
  readonly stops: number
  /** How often the database was stopped at once. */
  readonly outages: number
  /** How often a server was cut off from the database. */
  readonly cuts: number
  /** With requests on their way. */
  readonly killsUnderRequests: number
  /** Less than a tenth of a second after a run of a callback had ended. */
  readonly killsAmongRuns: number
  /** After windows had fired in that life of the server. */
  readonly killsAfterFiring: number
  readonly instances: number
  readonly acknowledged: number
  readonly studies: number
  readonly unstableAtOnce: number
  readonly stableEvents: number
  /** Stable events of what had been stable before. */
  readonly laterRevisions: number
  readonly deletedStudies: number
  readonly duplicates: number
  readonly deliveries: number
  /** How many runs the deliveries took, and how many of them could be looked at. */
  readonly runs: number
  readonly runsSeen: number
  readonly skipped: number
  readonly dead: number
  readonly effects: number
  readonly violations: number
}

export function figuresOf(
  { seed }: PlanSettings,
  kills: number,
  history: History,
  seen: Observation,
  violations: number,
): Figures {
  const { uploads, deletions, effects, lives, troubles, stops, outages, cuts } = history
  const { changes, runs } = seen.database
  const stable = changes.filter(({ type }) => type.startsWith('Stable'))
  const attempts = [...uploads, ...deletions].flatMap((subject) => subject.attempts)
  const ended = lives.flatMap(({ endedAtMs, ...life }) =>
    endedAtMs === null ? [] : [{ ...life, endedAtMs }],
  )
  const countKills = (isMeant: (kill: (typeof ended)[number]) => boolean) => ended.filter(isMeant).length
  return {
    seed,
    kills,
    troubles: troubles.length,
    stops: stops.length,
    outages: outages.length,
    cuts: cuts.length,
    killsWhileStarting: countKills(({ readyAtMs }) => readyAtMs === Number.POSITIVE_INFINITY),
    killsUnderRequests: countKills((life) => attempts.some((attempt) => isCutOff(attempt, [life]))),
    killsAmongRuns: countKills(({ endedAtMs }) =>
      runs.some(({ endedAt }) => endedAt > endedAtMs - 100 && endedAt <= endedAtMs),
    ),
    killsAfterFiring: countKills(({ spawnedAtMs, endedAtMs }) =>
      stable.some(({ at }) => at > spawnedAtMs && at <= endedAtMs),
    ),
    instances: uploads.length,
    acknowledged: uploads.filter(isAcknowledged).length,
    studies: new Set(uploads.map(({ ids }) => ids.Study)).size,
    unstableAtOnce: mostUnstable(history, changes),
    stableEvents: stable.length,
    laterRevisions: stable.length - new Set(stable.map(({ id }) => id)).size,
    deletedStudies: deletions.length,
    duplicates: uploads.reduce(
      (sum, { attempts: tries }) =>
        sum + Math.max(0, tries.filter(({ answer }) => answer !== null).length - 1),
      0,
    ),
    deliveries: new Set(runs.map(({ script, callback, seq }) => `${script} ${callback} ${seq}`)).size,
    runs: runs.at(-1)?.order ?? 0,
    runsSeen: runs.length,
    skipped: runs.filter(({ outcome }) => outcome === 'skipped').length,
    dead: seen.database.deliveries.filter(({ state }) => state === 'dead').length,
    effects: effects.length,
    violations,
  }
}

/** How many studies were unstable at the same time at most, by the log. */
function mostUnstable(history: History, changes: Observation['database']['changes']): number {
  const family = familyOf(history)
  const unstable = new Set<string>()
  let most = 0
  for (const { type, id } of changes) {
    const study = family.get(id)?.ids.Study ?? id
    if (type === 'NewInstance') unstable.add(study)
    else if (type === 'StableStudy' || type === 'DeletedStudy') unstable.delete(id)
    most = Math.max(most, unstable.size)
  }
  return most
}

/** What the campaign was to do and did not. */
export function shortfallsOf(settings: PlanSettings, figures: Figures): string[] {
  const shortfalls: string[] = []
  const demand = (what: string, had: number, wanted: number) => {
    if (had < wanted) shortfalls.push(`Only ${had} of ${wanted} ${what}`)
  }
  demand('kills', figures.kills, settings.kills)
  demand('instances were acknowledged', figures.acknowledged, settings.instances)
  demand('runs could be looked at, the server had dropped the others', figures.runsSeen, figures.runs)
  demand('studies were unstable at once', figures.unstableAtOnce, settings.studies)
  return shortfalls
}

export function lineOf(figures: Figures): string {
  const { seed, kills, acknowledged, instances, studies, unstableAtOnce, stableEvents } = figures
  return (
    `campaign: seed ${seed}, ${kills} kills, ${figures.troubles} other troubles (${figures.stops} stops), ${figures.outages} stops of the database, ${figures.cuts} cuts, ${acknowledged} instances acknowledged of ${instances}, ` +
    `${studies} studies (${unstableAtOnce} unstable at once), ${stableEvents} stable events, ` +
    `${figures.deliveries} deliveries, ${figures.violations} violations`
  )
}

/** Of several campaigns, one after the other. */
export function lineOfAll(all: readonly Figures[]): string {
  const sum = (
    name:
      | 'kills'
      | 'troubles'
      | 'stops'
      | 'outages'
      | 'cuts'
      | 'acknowledged'
      | 'stableEvents'
      | 'deliveries'
      | 'violations',
  ) => all.reduce((total, figures) => total + figures[name], 0)
  return (
    `campaigns: seeds ${all[0]!.seed} to ${all.at(-1)!.seed}, ${sum('kills')} kills, ${sum('troubles')} other troubles ` +
    `(${sum('stops')} stops), ${sum('outages')} stops of the database, ${sum('cuts')} cuts, ${sum('acknowledged')} instances, ${sum('stableEvents')} stable events, ` +
    `${sum('deliveries')} deliveries, ${sum('violations')} violations`
  )
}
