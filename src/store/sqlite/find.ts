/**
 * Reads resources: one, many, lists of identifiers, relatives, totals.
 */
import { type Level, levels, type ParentLevel } from '../../dicom/dicom.ts'
import { heldElsewhere } from '../arrival.ts'
import { levelNumber, levelOf } from '../numbers.ts'
import type { InstanceResource, Origin, Page, ParentResource, Resource, Statistics } from '../store.ts'
import { parseTags } from './family.ts'
import { type InstanceRow, type ResourceRow, resourceAt, resourceBy } from './rows.ts'
import type { Session } from './session.ts'

export function holds(session: Session, instanceIds: readonly string[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const id of instanceIds) {
    const row = instanceBy(session, id)
    if (row !== undefined && row.file !== heldElsewhere) files.set(id, row.file)
  }
  return files
}

/** The identifiers of all instances after one, in their order, which an index has: a page of them. */
export function instancesAfter(session: Session, after: string, limit: number): string[] {
  const rows = session
    .sql('select public_id from instance where public_id > ? order by public_id limit +?')
    .all(after, limit) as { public_id: string }[]
  return rows.map((row) => row.public_id)
}

export function find(session: Session, level: Level, id: string): Resource | null {
  if (level === 'Instance') {
    const row = instanceBy(session, id)
    return row === undefined ? null : instanceResource(session, row)
  }
  const row = resourceBy(session, level, id)
  return row === undefined ? null : parentResource(session, row)
}

export function findAll(session: Session, level: Level, ids: readonly string[]): Resource[] {
  return ids.flatMap((id) => find(session, level, id) ?? [])
}

export function list(session: Session, level: Level, page: Page | null): string[] {
  const { since, limit } = page ?? { since: 0, limit: -1 }
  const rows =
    level === 'Instance'
      ? session.sql('select public_id from instance order by id limit ? offset ?').all(limit, since)
      : session
          .sql('select public_id from resource where level = ? order by id limit ? offset ?')
          .all(levelNumber(level), limit, since)
  return names(rows)
}

export function related(session: Session, from: Level, id: string, level: Level): string[] | null {
  const start = from === 'Instance' ? instanceBy(session, id) : resourceBy(session, from, id)
  if (start === undefined) return null
  if (levelNumber(level) < levelNumber(from)) return [ancestor(session, start, level).public_id]
  return below(session, start.id, levelNumber(from), levelNumber(level))
}

export function statistics(session: Session): Statistics {
  const counts = session.sql('select level, count(*) as count from resource group by level').all() as {
    level: number
    count: number
  }[]
  const countOf = (level: ParentLevel) => counts.find((row) => row.level === levelNumber(level))?.count ?? 0
  const instances = session
    .sql('select count(*) as count, coalesce(sum(size_bytes), 0) as bytes from instance')
    .get() as {
    count: number
    bytes: number
  }
  return {
    patients: countOf('Patient'),
    studies: countOf('Study'),
    series: countOf('Series'),
    instances: instances.count,
    totalBytes: instances.bytes,
  }
}

export function instanceBy(session: Session, id: string): InstanceRow | undefined {
  return session.sql('select * from instance where public_id = ?').get(id) as InstanceRow | undefined
}

/** An origin as JSON. */
export function originFacts(session: Session, row: number): string {
  return (session.sql('select facts from origin where id = ?').get(row) as { facts: string }).facts
}

function originAt(session: Session, row: number): Origin {
  return JSON.parse(originFacts(session, row)) as Origin
}

function instanceResource(session: Session, row: InstanceRow): InstanceResource {
  return {
    level: 'Instance',
    id: row.public_id,
    parent: resourceAt(session, row.series).public_id,
    tags: parseTags(row.tags),
    file: row.file,
    sizeBytes: row.size_bytes,
    indexInSeries: row.place,
    transferSyntaxUid: row.transfer_syntax,
    sopClassUid: row.sop_class,
    receivedAtMs: row.received_at,
    origin: originAt(session, row.origin),
  }
}

function parentResource(session: Session, row: ResourceRow): ParentResource {
  const level = levelOf(row.level) as ParentLevel
  const parent = row.parent === null ? null : resourceAt(session, row.parent)
  const isSeries = level === 'Series'
  const places = isSeries
    ? session.sql('select place from instance where series = ? order by id').all(row.id)
    : []
  return {
    level,
    id: row.public_id,
    parent: parent?.public_id ?? null,
    children: below(session, row.id, row.level, row.level + 1),
    tags: parseTags(row.tags),
    patientTags: row.patient_tags === null ? null : parseTags(row.patient_tags),
    isStable: session.sql('select 1 from window where resource = ?').get(row.id) === undefined,
    revision: row.revision,
    updatedAtMs: row.updated_at,
    expectedInstances: row.expected,
    indexes: (places as { place: number | null }[]).map(({ place }) => place),
  }
}

/** Identifiers of all resources at a level below, in the order of their first arrival. */
function below(session: Session, row: number, from: number, to: number): string[] {
  let frontier = [row]
  const children = session.sql('select id from resource where parent = ? order by id')
  for (let level = from + 1; level < Math.min(to, levelNumber('Instance')); level++) {
    frontier = frontier.flatMap((id) => (children.all(id) as { id: number }[]).map((child) => child.id))
  }
  if (to === from) return frontier.map((id) => resourceAt(session, id).public_id)
  const last =
    levels[to] === 'Instance'
      ? session.sql('select public_id from instance where series = ? order by id')
      : session.sql('select public_id from resource where parent = ? order by id')
  return frontier.flatMap((id) => names(last.all(id)))
}

function ancestor(session: Session, start: InstanceRow | ResourceRow, level: Level): ResourceRow {
  let row = resourceAt(session, 'series' in start ? start.series : start.parent!)
  while (row.level > levelNumber(level)) row = resourceAt(session, row.parent!)
  return row
}

function names(rows: unknown[]): string[] {
  return (rows as { public_id: string }[]).map((row) => row.public_id)
}
