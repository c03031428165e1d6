/** What the script `report` does outside: at least once for each stable study, first times in order per study. */
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'
import { reportScript } from '../scripts.ts'

export function checkEffects({ effects }: History, { database }: Observation): string[] {
  if (!database.scripts.some(({ name }) => name === reportScript)) return []
  const violations: string[] = []
  const stable = new Map(
    database.changes.filter(({ type }) => type === 'StableStudy').map((change) => [change.seq, change]),
  )
  const keyOf = new Map<number, string>()
  const latest = new Map<string, number>()
  for (const { key, seq, study } of effects) {
    if (stable.get(seq)?.id !== study)
      violations.push(`An effect names change ${seq}, which is not about its study`)
    if (keyOf.has(seq)) {
      if (keyOf.get(seq) !== key) violations.push(`Change ${seq} had two idempotency keys`)
      continue
    }
    keyOf.set(seq, key)
    const last = latest.get(study) ?? 0
    if (seq < last)
      violations.push(`The first effect of change ${seq} came after that of ${last}, of one study`)
    latest.set(study, Math.max(seq, last))
  }
  for (const seq of stable.keys()) if (!keyOf.has(seq)) violations.push(`Change ${seq} had no effect`)
  if (new Set(keyOf.values()).size !== keyOf.size) violations.push('Two changes had the same idempotency key')
  return violations
}
