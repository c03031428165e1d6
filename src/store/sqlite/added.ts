/**
 * Instances that were added to a resource between two moments, by the numbers of their rows.
 */
import type { ParentLevel } from '../../dicom/dicom.ts'
import { levelOf } from '../numbers.ts'
import { type ResourceRow, resourceBy } from './rows.ts'
import type { Session } from './session.ts'

/** Most identifiers that an event lists. */
export const listLimit = 1_000

export interface Added {
  readonly facts: {
    readonly seriesCount: number
    readonly instanceCount: number
    readonly series: readonly string[]
    readonly instances: readonly string[]
  }
  readonly newestInstance: number
}

/** The series of a patient, of a study, or the series itself. */
export function seriesOf(session: Session, row: ResourceRow): ResourceRow[] {
  const level = levelOf(row.level)
  if (level === 'Series') return [row]
  if (level === 'Study')
    return session.sql('select * from resource where parent = ? order by id').all(row.id) as ResourceRow[]
  return session
    .sql('select s.* from resource t join resource s on s.parent = t.id where t.parent = ? order by s.id')
    .all(row.id) as ResourceRow[]
}

/**
 * @param after exclusive
 * @param upTo inclusive
 */
export function addedBetween(
  session: Session,
  series: readonly ResourceRow[],
  after: number,
  upTo = Number.MAX_SAFE_INTEGER,
): Added {
  const newer = session.sql(
    'select count(*) as count, max(id) as newest from instance where series = ? and id > ? and id <= ?',
  )
  const older = session.sql('select 1 from instance where series = ? and id <= ? limit 1')
  const names = session.sql(
    'select public_id from instance where series = ? and id > ? and id <= ? order by id limit +?',
  )
  const instances: string[] = []
  const newSeries: string[] = []
  let instanceCount = 0
  let seriesCount = 0
  let newestInstance = after
  for (const row of series) {
    const { count, newest } = newer.get(row.id, after, upTo) as { count: number; newest: number | null }
    if (count === 0) continue
    instanceCount += count
    newestInstance = Math.max(newestInstance, newest ?? 0)
    const left = listLimit - instances.length
    if (left > 0) {
      for (const name of names.all(row.id, after, upTo, left) as { public_id: string }[])
        instances.push(name.public_id)
    }
    if (older.get(row.id, after) !== undefined) continue
    seriesCount++
    if (newSeries.length < listLimit) newSeries.push(row.public_id)
  }
  return { facts: { seriesCount, instanceCount, series: newSeries, instances }, newestInstance }
}

/** All of them, in the order of their arrival within each series. */
export function addedInstances(
  session: Session,
  level: ParentLevel,
  id: string,
  after: number,
  upTo: number,
): string[] {
  const row = resourceBy(session, level, id)
  if (row === undefined) return []
  const names = session.sql(
    'select public_id from instance where series = ? and id > ? and id <= ? order by id',
  )
  return seriesOf(session, row).flatMap((series) =>
    (names.all(series.id, after, upTo) as { public_id: string }[]).map(({ public_id }) => public_id),
  )
}
