/**
 * Each quiet period of each patient, study and series fires exactly once, not before its time, and never
 * before a period below it. Walks the log once.
 */
import { type AgesMs, arrivalOf, type History, leastQuietMsOf } from '../history.ts'
import type { Ids, LevelName } from '../identifiers.ts'
import type { Observation } from '../observe.ts'
import type { ChangeRow } from '../observe-database.ts'

/** How far the client's clock and the store's may be apart. */
const toleranceMs = 50
const longestObservationMs = 10_000
/** A pause that is surely longer than the one after which silence has to be observed anew. */
const unobservedMs = 2_500
const parentLevels = ['Series', 'Study', 'Patient'] as const

type ParentLevel = keyof AgesMs

interface Period {
  readonly level: ParentLevel
  readonly ids: Ids
  isOpen: boolean
  lastAt: number
  fired: number
}

export function checkQuietPeriods(history: History, { rest, database }: Observation): string[] {
  const violations: string[] = []
  const family = new Map(history.uploads.map(({ ids }) => [ids.Instance, ids]))
  const periods = new Map<string, Period>()
  for (const change of database.changes) {
    if (change.type === 'NewInstance') open(periods, family.get(change.id), change.at)
    else if (change.type.startsWith('Stable')) {
      violations.push(...fire(periods, change, history), ...checkClientClock(history, change))
    } else if (change.type.startsWith('Deleted')) periods.delete(change.id)
  }
  for (const [id, { level, isOpen }] of periods) {
    if (isOpen) violations.push(`${level} ${id} never became stable after its last instance`)
  }
  for (const { level, id, revision } of database.resources) {
    const fired = periods.get(id)?.fired ?? 0
    if (revision !== fired)
      violations.push(`${level} ${id} is at revision ${revision} and was stable ${fired} times`)
  }
  if (database.openWindows > 0) violations.push(`${database.openWindows} windows are open`)
  for (const [id, isStable] of rest.parents)
    if (!isStable) violations.push(`Resource ${id} shows as unstable`)
  return violations
}

function open(periods: Map<string, Period>, ids: Ids | undefined, at: number): void {
  if (ids === undefined) return
  for (const level of parentLevels) {
    const fired = periods.get(ids[level])?.fired ?? 0
    periods.set(ids[level], { level, ids, isOpen: true, lastAt: at, fired })
  }
}

function fire(periods: Map<string, Period>, change: ChangeRow, { agesMs }: History): string[] {
  const name = `${change.type} ${change.id} (change ${change.seq})`
  const period = periods.get(change.id)
  if (period === undefined) return [`${name} is about nothing that came`]
  const violations: string[] = []
  if (!period.isOpen) violations.push(`${name} fired twice for one quiet period`)
  const early = period.lastAt + leastQuietMsOf(agesMs, period.level) - change.at
  if (early > 0) violations.push(`${name} fired ${early} ms early`)
  for (const other of periods.values()) {
    const isBelow = other.ids[period.level] === change.id && depth(other.level) > depth(period.level)
    if (isBelow && other.isOpen) violations.push(`${name} fired before a ${other.level} below it`)
  }
  period.isOpen = false
  period.fired += 1
  return violations
}

function depth(level: LevelName): number {
  return ['Patient', 'Study', 'Series', 'Instance'].indexOf(level)
}

/** By what the client knows: an instance that surely came less than the stable age before, or too short a watch. */
function checkClientClock(history: History, change: ChangeRow): string[] {
  const { uploads, agesMs } = history
  const violations: string[] = []
  const level = change.type.slice('Stable'.length) as ParentLevel
  for (const upload of uploads) {
    if (upload.ids[level] !== change.id) continue
    const arrival = arrivalOf(upload)
    if (arrival === null) continue
    const surelyBefore = arrival.toMs < change.at - toleranceMs
    const surelyWithin = arrival.fromMs > change.at - leastQuietMsOf(agesMs, level) + toleranceMs
    if (surelyBefore && surelyWithin)
      violations.push(`${change.type} ${change.id} fired less than its age after an instance was sent`)
  }
  // For its own age: those below it may have fired before.
  const leastWatchedMs = Math.min(agesMs[level], longestObservationMs) - toleranceMs
  const watchedSince = watchedSinceOf(history, change.at)
  const watchedMs = change.at - watchedSince
  if (watchedMs < leastWatchedMs)
    violations.push(`${change.type} ${change.id} fired ${watchedMs} ms after the server was started`)
  // Where there are others, one that stands still stops nobody from watching.
  for (const { fromMs, toMs } of history.hasOthers ? history.outages : history.stops) {
    const sinceMs = change.at - toMs
    const isSoon = sinceMs > 0 && sinceMs < leastWatchedMs
    if (toMs - fromMs > unobservedMs && isSoon)
      violations.push(`${change.type} ${change.id} fired ${sinceMs} ms after the server had stood still`)
  }
  return violations
}

/** The start of the server that was started last; of several, of the first after none of them lived. */
function watchedSinceOf({ lives, hasOthers }: History, at: number): number {
  const before = lives.filter(({ spawnedAtMs }) => spawnedAtMs <= at)
  const begun = before.sort((left, right) => right.spawnedAtMs - left.spawnedAtMs)
  const livedAt = (ms: number) =>
    before.some(({ spawnedAtMs, endedAtMs }) => spawnedAtMs < ms && (endedAtMs ?? ms) >= ms - unobservedMs)
  const first = hasOthers ? begun.find(({ spawnedAtMs }) => !livedAt(spawnedAtMs)) : begun[0]
  return first?.spawnedAtMs ?? at
}
