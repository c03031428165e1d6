/** The memory of the script `record` counts as if each delivery had happened once. */
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'
import { recordedTypes, recordScript } from '../scripts.ts'

export function checkKeyValues(_: History, { database }: Observation): string[] {
  if (!database.scripts.some(({ name }) => name === recordScript)) return []
  const violations: string[] = []
  const expected = new Map<string, number>()
  for (const { type, id } of database.changes) {
    if (!recordedTypes.includes(type)) continue
    const key = `${type}:${id}`
    expected.set(key, (expected.get(key) ?? 0) + 1)
  }
  const found = new Map(
    database.keyValues.filter(({ script }) => script === recordScript).map(({ key, value }) => [key, value]),
  )
  for (const [key, count] of expected) {
    if (found.get(key) !== count)
      violations.push(`The memory says ${found.get(key)} of ${key}, and it was told ${count}`)
  }
  for (const key of found.keys())
    if (!expected.has(key)) violations.push(`The memory has ${key}, and it was not told`)
  return violations
}
