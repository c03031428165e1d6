/** The log has no gaps and does not go back in time, and the REST interface shows it as it is. */
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'

export function checkLog(_: History, { rest, database }: Observation): string[] {
  const violations: string[] = []
  const { changes } = database
  const gap = changes.findIndex(({ seq }, index) => seq !== index + 1)
  if (gap !== -1) violations.push(`The log has number ${changes[gap]!.seq} at place ${gap + 1}`)
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
  return violations
}
