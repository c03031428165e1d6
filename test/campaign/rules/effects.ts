/**
 * What the script `report` does outside: at least once for each stable study, again only after a kill or a
 * failure, under one idempotency key, with the same words, first times in order per study, and not too early.
 */
import { arrivalOf, type Effect, type History, quietMsOf } from '../history.ts'
import type { Observation } from '../observe.ts'
import type { ChangeRow } from '../observe-database.ts'
import { reportScript } from '../scripts.ts'

/** How far apart two notices of the client may be: of an effect, and of the end of the server that had it. */
const toleranceMs = 1_000

export function checkEffects(history: History, { database }: Observation): string[] {
  const violations: string[] = []
  const { changes, runs } = database
  const stable = changes.filter(({ type }) => type === 'StableStudy')
  const effectsOf = Map.groupBy(history.effects, ({ seq }) => seq)
  for (const seq of effectsOf.keys())
    if (!stable.some((change) => change.seq === seq))
      violations.push(`An effect names change ${seq}, which is no stable study`)
  const keys = new Set<string>()
  const latest = new Map<string, number>()
  for (const [seq, effects] of effectsOf) {
    const { study, key } = effects[0]!
    if (seq < (latest.get(study) ?? 0))
      violations.push(
        `The first effect of change ${seq} came after that of ${latest.get(study)}, of one study`,
      )
    latest.set(study, Math.max(seq, latest.get(study) ?? 0))
    if (keys.has(key)) violations.push(`Change ${seq} has the idempotency key of another`)
    keys.add(key)
  }
  for (const change of stable) {
    const effects = effectsOf.get(change.seq) ?? []
    const ownRuns = runs.filter(({ script, seq }) => script === reportScript && seq === change.seq)
    if (effects.length === 0) {
      if (!ownRuns.some(({ outcome }) => outcome === 'skipped'))
        violations.push(`Change ${change.seq} had no effect`)
      continue
    }
    violations.push(...checkWords(change, changes, history, effects))
    const failures = ownRuns.filter(({ outcome }) => outcome !== 'ok').length
    if (effects.length > 1 + failures + killsDuring(history, effects))
      violations.push(`Change ${change.seq} had ${effects.length} effects, though nothing had failed`)
  }
  return violations
}

function killsDuring({ lives, childEndsMs, outages, cuts }: History, effects: readonly Effect[]): number {
  const [from, to] = [effects[0]!.receivedAtMs - toleranceMs, effects.at(-1)!.receivedAtMs + toleranceMs]
  const ends = [
    ...lives.flatMap(({ endedAtMs }) => endedAtMs ?? []),
    ...childEndsMs,
    ...[...outages, ...cuts].map(({ toMs }) => toMs),
  ]
  return ends.filter((atMs) => atMs >= from && atMs <= to).length
}

function checkWords(
  change: ChangeRow,
  changes: readonly ChangeRow[],
  { uploads, agesMs }: History,
  effects: readonly Effect[],
): string[] {
  const violations: string[] = []
  const earlier = changes.filter(({ seq }) => seq < change.seq)
  const arrived = new Set(earlier.filter(({ type }) => type === 'NewInstance').map(({ id }) => id))
  const own = uploads.filter(({ ids }) => ids.Study === change.id && arrived.has(ids.Instance))
  const revision = 1 + earlier.filter(({ type, id }) => type === change.type && id === change.id).length
  for (const { study, header, key, ...effect } of effects) {
    if (study !== change.id) violations.push(`An effect of change ${change.seq} names another study`)
    if (header !== key || key !== effects[0]!.key)
      violations.push(`Change ${change.seq} had two idempotency keys`)
    if (effect.revision !== revision || effect.instances !== own.length)
      violations.push(
        `Change ${change.seq} was told as revision ${effect.revision} of ${effect.instances} instances, ` +
          `and it is revision ${revision} of ${own.length}`,
      )
    const isEarly = own.some(
      (upload) => effect.receivedAtMs < (arrivalOf(upload)?.fromMs ?? 0) + quietMsOf(agesMs, 'Study') - 5,
    )
    if (isEarly)
      violations.push(`An effect of change ${change.seq} came before the study was quiet for its age`)
  }
  return violations
}
