/** Resources as the contract shows them, out of what the functions of the database tell. */
import { type Level, levels, type ParentLevel } from '../../dicom/dicom.ts'
import { heldElsewhere } from '../arrival.ts'
import { levelNumber } from '../numbers.ts'
import type { InstanceResource, Page, ParentResource, Removed, Resource, Statistics } from '../store.ts'
import type { Session } from './session.ts'

/** What is JSON in a row comes as text, which keeps it as it was written. */
type Told<Facts, Texts extends keyof Facts> = Omit<Facts, 'level' | Texts> & {
  readonly [Key in Texts]: string
}

export async function find({ connections }: Session, level: Level, id: string): Promise<Resource | null> {
  if (level === 'Instance') {
    type Facts = Told<InstanceResource, 'tags' | 'origin'>
    const facts = await connections.value<Facts | null>('instance_resource', id)
    if (facts === null) return null
    return { ...facts, level, tags: JSON.parse(facts.tags), origin: JSON.parse(facts.origin) }
  }
  type Facts = Told<ParentResource, 'tags' | 'patientTags'>
  const facts = await connections.value<Facts | null>('parent_resource', levelNumber(level), id)
  if (facts === null) return null
  return { ...facts, level, tags: JSON.parse(facts.tags), patientTags: JSON.parse(facts.patientTags) }
}

export async function findAll(session: Session, level: Level, ids: readonly string[]): Promise<Resource[]> {
  const found = await Promise.all(ids.map((id) => find(session, level, id)))
  return found.filter((resource) => resource !== null)
}

export async function list({ connections }: Session, level: Level, page: Page | null): Promise<string[]> {
  const { since, limit } = page ?? { since: 0, limit: null }
  const rows = await connections.rows<{ public_id: string }>(
    level === 'Instance'
      ? 'select public_id from instance order by id limit $1 offset $2'
      : `select public_id from resource where level = ${levelNumber(level)} order by id limit $1 offset $2`,
    [limit, since],
  )
  return rows.map(({ public_id }) => public_id)
}

export function related(
  { connections }: Session,
  from: Level,
  id: string,
  level: Level,
): Promise<string[] | null> {
  return connections.value('related', levelNumber(from), id, levelNumber(level))
}

export async function holds({ connections }: Session, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await connections.rows<{ public_id: string; file: string }>(
    'select public_id, file from instance where public_id = any ($1) and file <> $2',
    [ids, heldElsewhere],
  )
  return new Map(rows.map(({ public_id, file }) => [public_id, file]))
}

export async function addedInstances(
  { connections }: Session,
  level: ParentLevel,
  id: string,
  after: number,
  upTo: number,
): Promise<string[]> {
  const rows = await connections.rows<{ public_id: string }>(
    `select i.public_id from resource r, lateral series_of(r.id) s join instance i on i.series = s.id
     where r.level = $1 and r.public_id = $2 and i.id > $3 and i.id <= $4 order by s.id, i.id`,
    [levelNumber(level), id, after, upTo],
  )
  return rows.map(({ public_id }) => public_id)
}

export async function remove(
  { connections, nowMs }: Session,
  level: Level,
  id: string,
): Promise<Removed | null> {
  const [left] = await connections.rows<{ level: number | null; id: string | null }>(
    'select * from remove($1, $2, $3)',
    [nowMs(), levelNumber(level), id],
  )
  if (left === undefined) return null
  if (left.level === null || left.id === null) return { remainingAncestor: null }
  return { remainingAncestor: { level: levels[left.level] as ParentLevel, id: left.id } }
}

export async function statistics({ connections }: Session): Promise<Statistics> {
  const [counts] = await connections.rows<Statistics>(
    `select count(*) filter (where level = 0) as patients, count(*) filter (where level = 1) as studies,
       count(*) filter (where level = 2) as series, (select count(*) from instance) as instances,
       (select coalesce(sum(size_bytes), 0)::bigint from instance) as "totalBytes"
     from resource`,
  )
  return counts!
}

/** Files of which no row is left. */
export async function trash({ connections }: Session, limit: number): Promise<string[]> {
  const rows = await connections.rows<{ file: string }>('select file from trash limit $1', [limit])
  return rows.map(({ file }) => file)
}

export async function forgetTrash({ connections }: Session, files: readonly string[]): Promise<void> {
  await connections.rows('delete from trash where file = any ($1)', [files])
}

export async function orphans({ connections, node }: Session, files: readonly string[]): Promise<string[]> {
  // A statement whose client is gone comes to its end all the same.
  await connections.value('wait_for_records', node)
  const rows = await connections.rows<{ file: string }>(
    `select file from unnest($1::text[]) with ordinality f (file, place)
     where not exists (select 1 from instance i where i.file = f.file)
       and not exists (select 1 from trash t where t.file = f.file)
     order by place`,
    [files],
  )
  return rows.map(({ file }) => file)
}
