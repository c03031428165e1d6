/** The patients, studies and series are those of the instances that are there: none is missing, none is left over. */
import { familyOf, levelNames } from '../family.ts'
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'

export function checkResources(history: History, { rest, database }: Observation): string[] {
  const violations: string[] = []
  const family = familyOf(history)
  const instances = new Map<string, number>()
  for (const { id, series } of database.instances) {
    const member = family.get(id)
    if (member === undefined) continue
    if (series !== member.ids.Series) violations.push(`Instance ${id} hangs below another series`)
    for (const level of ['Patient', 'Study', 'Series'] as const)
      instances.set(member.ids[level], (instances.get(member.ids[level]) ?? 0) + 1)
  }
  const rows = new Map(database.resources.map((row) => [row.id, row]))
  for (const id of instances.keys()) {
    const level = family.get(id)!.level
    if (!rows.has(id)) violations.push(`${level} ${id} has instances and no row`)
    if (!rest.parents.has(id)) violations.push(`${level} ${id} has instances and is not listed`)
  }
  for (const { id, level, parent, instances: counted } of database.resources) {
    const member = family.get(id)
    if (!instances.has(id)) violations.push(`${level} ${id} has a row and no instance`)
    else if (level === 'Series' && counted !== instances.get(id))
      violations.push(`Series ${id} counts ${counted} instances and has ${instances.get(id)}`)
    const above = member === undefined ? undefined : levelNames[levelNames.indexOf(member.level) - 1]
    if (member !== undefined && (level !== member.level || parent !== (above ? member.ids[above] : null)))
      violations.push(`${level} ${id} hangs below another resource`)
  }
  if (rows.size !== database.resources.length) violations.push('A resource has two rows')
  for (const id of rest.parents.keys())
    if (!instances.has(id)) violations.push(`${id} is listed and has no instance`)
  if (database.danglingRows > 0)
    violations.push(`${database.danglingRows} rows refer to a row that is not there`)
  return violations
}
