/** Every change that a script is owed has ended well exactly once, in the order of the log for each key. */
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'

/** The server keeps no more runs than this. */
const keptRuns = 10_000

export function checkDeliveries(_: History, { database }: Observation): string[] {
  const violations: string[] = []
  const { changes, runs, scripts } = database
  const ended = runs.filter(({ outcome }) => outcome === 'ok')
  const counts = new Map<string, number>()
  for (const { script, callback, seq } of ended) {
    const name = `${script}:${callback} of change ${seq}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const owed = new Set(
    scripts.flatMap(({ name, subscriptions }) =>
      subscriptions.flatMap(({ type, callback }) =>
        changes
          .filter((change) => change.type === type)
          .map(({ seq }) => `${name}:${callback} of change ${seq}`),
      ),
    ),
  )
  const isWhole = runs.length < keptRuns
  if (isWhole) for (const name of owed) if (!counts.has(name)) violations.push(`${name} never ended well`)
  for (const [name, count] of counts) {
    if (count > 1) violations.push(`${name} ended well ${count} times`)
    if (!owed.has(name)) violations.push(`${name} was owed to nobody`)
  }
  if (database.deliveries > 0) violations.push(`${database.deliveries} deliveries have not ended`)
  for (const { name, cursor } of scripts) {
    if (cursor !== database.lastSeq)
      violations.push(`${name} has been served up to ${cursor} of ${database.lastSeq}`)
  }
  return [...violations, ...checkOrder(database)]
}

function checkOrder({ changes, runs }: Observation['database']): string[] {
  const violations: string[] = []
  const keys = new Map(changes.map(({ seq, key }) => [seq, key]))
  const latest = new Map<string, number>()
  for (const { script, seq, outcome } of runs) {
    if (outcome !== 'ok') continue
    const key = `${script} for ${keys.get(seq)}`
    if (seq < (latest.get(key) ?? 0)) violations.push(`${key} ended change ${seq} after ${latest.get(key)}`)
    latest.set(key, Math.max(seq, latest.get(key) ?? 0))
  }
  return violations
}
