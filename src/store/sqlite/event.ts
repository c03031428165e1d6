/**
 * The event of a delivery as JSON. What can still change is fixed in the change's own row; the rest is put
 * together from rows that stay as they are while the resource exists.
 */

import { eventHead } from '../event-head.ts'
import { type JsonParts, jsonJoined, jsonObject } from '../json-parts.ts'
import { levelOfType } from '../numbers.ts'
import type { ChangeType } from '../store.ts'
import { type Family, familyOf } from './family.ts'
import { originFacts } from './find.ts'
import { type InstanceRow, type ResourceRow, resourceAt } from './rows.ts'
import type { Session } from './session.ts'

/** A change, by what its facts are found. */
export interface FactsOf {
  readonly type: ChangeType
  readonly resource: number
  readonly origin: number | null
  readonly event: string | null
}

interface Occurrence extends FactsOf {
  readonly seq: number
  readonly at: number
  readonly attempt: number
  readonly idempotencyKey: string
}

/** The families of series that were looked up in this transaction. */
export type SeriesFamilies = Map<number, Family & { readonly id: string }>

/** Null: the resource is gone, and the change is not about that. */
export function eventOf(session: Session, occurrence: Occurrence, families: SeriesFamilies): string | null {
  const facts = factsOf(session, occurrence, families)
  return facts === null ? null : jsonJoined(eventHead(occurrence), facts)
}

/** What the event says beside its head, JSON; null as above. */
export function factsOf(
  session: Session,
  { type, resource, origin, event }: FactsOf,
  families: SeriesFamilies,
): string | null {
  if (type.startsWith('Deleted')) return event
  const isInstance = levelOfType(type) === 'Instance'
  const row = session.sql(`select * from ${isInstance ? 'instance' : 'resource'} where id = ?`).get(resource)
  if (row === undefined) return null
  if (event !== null) return event
  const facts = isInstance
    ? instanceFacts(session, row as InstanceRow, families)
    : familyOf(session, row as ResourceRow).facts
  return jsonObject(origin === null ? facts : { ...facts, origin: originFacts(session, origin) })
}

function instanceFacts(session: Session, row: InstanceRow, families: SeriesFamilies): JsonParts {
  let series = families.get(row.series)
  if (series === undefined) {
    const above = resourceAt(session, row.series)
    series = { ...familyOf(session, above), id: above.public_id }
    families.set(row.series, series)
  }
  const { tags: seriesTags, ...facts } = series.facts
  return {
    ...facts,
    level: '"Instance"',
    id: JSON.stringify(row.public_id),
    tags: row.tags,
    seriesTags: seriesTags!,
    parents: jsonObject({ ...series.parents, series: JSON.stringify(series.id) }),
    sopClassUid: JSON.stringify(row.sop_class),
    transferSyntaxUid: JSON.stringify(row.transfer_syntax),
    sizeBytes: String(row.size_bytes),
  }
}
