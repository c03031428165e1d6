/** The memory of the script `record` counts as if each delivery had happened once. */
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'
import { recordScript, subscriptions } from '../scripts.ts'

export function checkKeyValues(_: History, { database }: Observation): string[] {
  const violations: string[] = []
  const skipped = new Set(
    database.runs
      .filter(({ script, outcome }) => script === recordScript && outcome === 'skipped')
      .map(({ seq }) => seq),
  )
  const expected = new Map<string, number>()
  for (const { seq, type, id } of database.changes) {
    if (subscriptions[recordScript]![type] === undefined || skipped.has(seq)) continue
    const key = `${type}:${id}`
    expected.set(key, (expected.get(key) ?? 0) + 1)
  }
  const found = new Map<string, unknown>()
  for (const { script, key, value } of database.keyValues) {
    if (script === recordScript) found.set(key, value)
    else violations.push(`${script} has a memory of ${key}, and it wrote nothing`)
  }
  for (const [key, count] of expected) {
    if (found.get(key) !== count)
      violations.push(`The memory says ${found.get(key)} of ${key}, and it was told ${count}`)
  }
  for (const key of found.keys())
    if (!expected.has(key)) violations.push(`The memory has ${key}, and it was not told`)
  return violations
}
