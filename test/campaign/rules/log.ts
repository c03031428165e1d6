/** The log has no gaps, tells of everything new once and in order, and the REST interface shows it as it is. */
import { type History, isAcknowledged } from '../history.ts'
import type { Observation } from '../observe.ts'

export function checkLog(history: History, { rest, database }: Observation): string[] {
  const violations: string[] = []
  const { changes } = database
  for (const [index, change] of changes.entries()) {
    if (change.seq !== index + 1) {
      violations.push(`The log has number ${change.seq} at place ${index + 1}`)
      break
    }
  }
  if ((changes.at(-1)?.seq ?? 0) !== database.lastSeq)
    violations.push(`The log ends before its last number, ${database.lastSeq}`)
  for (const [index, change] of changes.entries()) {
    if (index > 0 && change.at < changes[index - 1]!.at)
      violations.push(`Change ${change.seq} is older than the one before it`)
  }
  const shown = changes.filter(({ type }) => !type.startsWith('Deleted'))
  const same = (index: number) => {
    const [inLog, inRest] = [shown[index], rest.changes[index]]
    return inLog?.seq === inRest?.seq && inLog?.type === inRest?.type && inLog?.id === inRest?.id
  }
  const differing = Array.from({ length: Math.max(shown.length, rest.changes.length) }, (_, i) => i).find(
    (index) => !same(index),
  )
  if (differing !== undefined)
    violations.push(`GET /changes differs from the log at its place ${differing + 1}`)
  return [...violations, ...checkNews(history, database.changes)]
}

/** Exactly one New* change for each thing that is new; nothing is sent again after its deletion. */
function checkNews(history: History, changes: Observation['database']['changes']): string[] {
  const violations: string[] = []
  const counts = new Map<string, number>()
  for (const { type, id } of changes) {
    if (type.startsWith('New')) counts.set(`${type} ${id}`, (counts.get(`${type} ${id}`) ?? 0) + 1)
  }
  const owed = new Set(
    history.uploads
      .filter(isAcknowledged)
      .flatMap(({ ids }) => Object.entries(ids).map(([level, id]) => `New${level} ${id}`)),
  )
  for (const name of owed) if (!counts.has(name)) violations.push(`The log has no ${name}`)
  for (const [name, count] of counts) if (count > 1) violations.push(`The log has ${name} ${count} times`)
  return violations
}
