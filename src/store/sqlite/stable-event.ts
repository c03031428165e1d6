/**
 * What a Stable* change tells: fixed here, in the transaction that fires it.
 */
import type { Trigger } from '../store.ts'
import { familyOf, isoTime } from './family.ts'
import { jsonJoined, jsonObject } from './json-parts.ts'
import { levelOf, type ResourceRow, resourceAt } from './rows.ts'
import type { Session } from './session.ts'

/** Most identifiers that an event lists. */
const listLimit = 1_000

interface StableEvent {
  /** JSON. */
  readonly event: string
  readonly key: string
  readonly newestInstance: number
}

export function stableEvent(session: Session, resource: number, trigger: Trigger): StableEvent {
  const row = resourceAt(session, resource)
  const family = familyOf(session, row)
  const series = seriesOf(session, row)
  const added = addedSince(session, series, row.settled_instance)
  const level = levelOf(row.level)
  const event = JSON.stringify({
    counts: {
      studies: level === 'Patient' ? new Set(series.map(({ parent }) => parent)).size : 1,
      series: series.length,
      instances: sum(series.map(({ instance_count }) => instance_count)),
    },
    modalities: [...new Set(series.flatMap(({ modality }) => (modality === null ? [] : [modality])))].sort(),
    origins: originsOf(session, series),
    firstArrival: isoTime(Math.min(...series.map(({ first_at, created_at }) => first_at ?? created_at))),
    lastArrival: isoTime(Math.max(...series.map(({ last_at, created_at }) => last_at ?? created_at))),
    revision: row.revision + 1,
    added: added.facts,
    trigger,
  })
  return {
    event: jsonJoined(jsonObject(family.facts), event),
    key: family.key,
    newestInstance: added.newestInstance,
  }
}

function seriesOf(session: Session, row: ResourceRow): ResourceRow[] {
  const level = levelOf(row.level)
  if (level === 'Series') return [row]
  if (level === 'Study')
    return session.sql('select * from resource where parent = ? order by id').all(row.id) as ResourceRow[]
  return session
    .sql('select s.* from resource t join resource s on s.parent = t.id where t.parent = ? order by s.id')
    .all(row.id) as ResourceRow[]
}

function addedSince(session: Session, series: readonly ResourceRow[], settledInstance: number) {
  const newer = session.sql(
    'select count(*) as count, max(id) as newest from instance where series = ? and id > ?',
  )
  const names = session.sql('select public_id from instance where series = ? and id > ? order by id limit ?')
  const instances: string[] = []
  const newSeries: string[] = []
  let instanceCount = 0
  let seriesCount = 0
  let newestInstance = settledInstance
  for (const row of series) {
    const { count, newest } = newer.get(row.id, settledInstance) as { count: number; newest: number | null }
    if (count === 0) continue
    instanceCount += count
    newestInstance = Math.max(newestInstance, newest ?? 0)
    const left = listLimit - instances.length
    if (left > 0) {
      for (const name of names.all(row.id, settledInstance, left) as { public_id: string }[])
        instances.push(name.public_id)
    }
    if (count < row.instance_count) continue
    seriesCount++
    if (newSeries.length < listLimit) newSeries.push(row.public_id)
  }
  return { facts: { seriesCount, instanceCount, series: newSeries, instances }, newestInstance }
}

function originsOf(session: Session, series: readonly ResourceRow[]): unknown[] {
  const statement = session.sql(
    'select o.facts from series_origin s join origin o on o.id = s.origin where s.series = ? order by o.id',
  )
  const facts = series.flatMap(({ id }) =>
    (statement.all(id) as { facts: string }[]).map((origin) => origin.facts),
  )
  return [...new Set(facts)].map((text) => JSON.parse(text))
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
