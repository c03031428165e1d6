/**
 * The event of a delivery as JSON. What can still change is fixed in the change's own row; the rest is put
 * together from rows that stay as they are while the resource exists.
 */
import type { ChangeType } from '../store.ts'
import { familyOf, isoTime, parseTags } from './family.ts'
import { originAt } from './find.ts'
import { type InstanceRow, levelOfType, type ResourceRow, resourceAt } from './rows.ts'
import type { Session } from './session.ts'

interface Occurrence {
  readonly seq: number
  readonly type: ChangeType
  readonly resource: number
  readonly at: number
  readonly origin: number | null
  readonly event: string | null
  readonly attempt: number
  readonly idempotencyKey: string
}

/** Null: the resource is gone, and the change is not about that. */
export function eventOf(session: Session, occurrence: Occurrence): string | null {
  const { seq, type, at, attempt, idempotencyKey } = occurrence
  const facts = factsOf(session, occurrence)
  if (facts === null) return null
  const head = JSON.stringify({ seq, change: type, at: isoTime(at), attempt, idempotencyKey })
  return `${head.slice(0, -1)},${facts.slice(1)}`
}

function factsOf(session: Session, { type, resource, origin, event }: Occurrence): string | null {
  if (type.startsWith('Deleted')) return event
  const isInstance = levelOfType(type) === 'Instance'
  const row = session.sql(`select * from ${isInstance ? 'instance' : 'resource'} where id = ?`).get(resource)
  if (row === undefined) return null
  if (event !== null) return event
  const facts = isInstance
    ? instanceFacts(session, row as InstanceRow)
    : familyOf(session, row as ResourceRow).facts
  return JSON.stringify(origin === null ? facts : { ...facts, origin: originAt(session, origin) })
}

function instanceFacts(session: Session, row: InstanceRow): Record<string, unknown> {
  const series = resourceAt(session, row.series)
  const family = familyOf(session, series)
  const { tags, parents, ...parentTags } = family.facts
  return {
    ...parentTags,
    level: 'Instance',
    id: row.public_id,
    tags: parseTags(row.tags),
    seriesTags: tags,
    parents: { ...(parents as Record<string, string>), series: series.public_id },
    sopClassUid: row.sop_class,
    transferSyntaxUid: row.transfer_syntax,
    sizeBytes: row.size_bytes,
  }
}
