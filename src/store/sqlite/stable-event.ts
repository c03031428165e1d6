/**
 * What a Stable* change tells: fixed here, in the transaction that fires it.
 */

import { isoTime, jsonJoined, jsonObject } from '../json-parts.ts'
import { levelOf } from '../numbers.ts'
import type { Trigger } from '../store.ts'
import { addedBetween, seriesOf } from './added.ts'
import { familyOf } from './family.ts'
import { type ResourceRow, resourceAt } from './rows.ts'
import type { Session } from './session.ts'

interface StableEvent {
  /** JSON. */
  readonly event: string
  readonly key: string
  readonly revision: number
  readonly newestInstance: number
}

export function stableEvent(session: Session, resource: number, trigger: Trigger): StableEvent {
  const row = resourceAt(session, resource)
  const family = familyOf(session, row)
  const series = seriesOf(session, row)
  const added = addedBetween(session, series, row.settled_instance)
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
    revision: row.revision + 1,
    newestInstance: added.newestInstance,
  }
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
