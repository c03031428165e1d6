/**
 * Deletes resources: the rows, the parents that are left empty, the Deleted* changes, and the names of the
 * files, which are unlinked only after the commit.
 */
import { type Level, levels, type ParentLevel } from '../../dicom/dicom.ts'
import { heldElsewhere } from '../arrival.ts'
import { jsonObject } from '../json-parts.ts'
import { levelNumber, levelOf } from '../numbers.ts'
import type { Removed } from '../store.ts'
import { familyOf } from './family.ts'
import { instanceBy } from './find.ts'
import { forgetSubject } from './retire-runs.ts'
import { appendChange, type ResourceRow, resourceAt, resourceBy } from './rows.ts'
import type { Session } from './session.ts'
import { checkAncestors } from './windows.ts'

export function remove(session: Session, level: Level, id: string): Removed | null {
  if (level === 'Instance') return removeInstance(session, id)
  const row = resourceBy(session, level, id)
  if (row === undefined) return null
  removeTree(session, row)
  return removeEmptyParents(session, row.parent)
}

export function removeInstance(session: Session, id: string): Removed | null {
  const row = instanceBy(session, id)
  if (row === undefined) return null
  const series = resourceAt(session, row.series)
  dropInstance(session, row.id, series)
  session.sql('update resource set instance_count = instance_count - 1 where id = ?').run(series.id)
  return removeEmptyParents(session, series.id)
}

export function trash(session: Session, limit: number): string[] {
  return (session.sql('select file from trash limit ?').all(limit) as { file: string }[]).map(
    ({ file }) => file,
  )
}

export function forgetTrash(session: Session, files: readonly string[]): void {
  const statement = session.sql('delete from trash where file = ?')
  for (const file of files) statement.run(file)
}

export function orphans(session: Session, files: readonly string[]): string[] {
  const statement = session.sql(
    'select 1 from instance where file = @file union all select 1 from trash where file = @file',
  )
  return files.filter((file) => statement.get({ file }) === undefined)
}

/** Deletes from the bottom: the log tells of the instances before their series. */
function removeTree(session: Session, row: ResourceRow): void {
  const { facts, key } = familyOf(session, row)
  if (levelOf(row.level) === 'Series') {
    const instances = session.sql('select id from instance where series = ? order by id').all(row.id) as {
      id: number
    }[]
    for (const { id } of instances) dropInstance(session, id, row)
  } else {
    const children = session
      .sql('select * from resource where parent = ? order by id')
      .all(row.id) as ResourceRow[]
    for (const child of children) removeTree(session, child)
  }
  const event = jsonObject(facts)
  appendChange(session, `Deleted${levelOf(row.level)}`, { resource: row.id, id: row.public_id, key, event })
  if (session.sql('delete from window where resource = ?').run(row.id).changes > 0)
    checkAncestors(session, row.id)
  session.sql('delete from series_origin where series = ?').run(row.id)
  session.sql('delete from finished where resource = ?').run(row.id)
  session.sql('delete from resource where id = ?').run(row.id)
  // Scripts are still to be told of the deletion, and those runs are searched for, too.
  if (levelOf(row.level) === 'Study' && session.sql('select 1 from script limit 1').get() === undefined)
    forgetSubject(session, row.public_id)
}

function dropInstance(session: Session, row: number, series: ResourceRow): void {
  const { public_id, tags, file } = session
    .sql('select public_id, tags, file from instance where id = ?')
    .get(row) as { public_id: string; tags: string; file: string }
  const study = resourceAt(session, series.parent!)
  const patient = resourceAt(session, study.parent!).public_id
  const parents = JSON.stringify({ patient, study: study.public_id, series: series.public_id })
  const event = jsonObject({ level: '"Instance"', id: JSON.stringify(public_id), tags, parents })
  appendChange(session, 'DeletedInstance', { resource: row, id: public_id, key: study.public_id, event })
  if (file !== heldElsewhere) session.sql('insert or ignore into trash values (?)').run(file)
  session.sql('delete from instance where id = ?').run(row)
}

function removeEmptyParents(session: Session, start: number | null): Removed {
  for (let id = start; id !== null; ) {
    const row = resourceAt(session, id)
    if (!isEmpty(session, row)) {
      markUpdated(session, row)
      return { remainingAncestor: { level: levels[row.level] as ParentLevel, id: row.public_id } }
    }
    removeTree(session, row)
    id = row.parent
  }
  return { remainingAncestor: null }
}

function isEmpty(session: Session, row: ResourceRow): boolean {
  const child =
    row.level === levelNumber('Series')
      ? session.sql('select 1 from instance where series = ? limit 1')
      : session.sql('select 1 from resource where parent = ? limit 1')
  return child.get(row.id) === undefined
}

function markUpdated(session: Session, start: ResourceRow): void {
  for (let row: ResourceRow | null = start; row !== null; ) {
    session.sql('update resource set updated_at = ? where id = ?').run(session.nowMs, row.id)
    row = row.parent === null ? null : resourceAt(session, row.parent)
  }
}
