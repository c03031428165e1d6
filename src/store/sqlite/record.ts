/**
 * Records an instance that is durable already: its file if it is not there yet, its row and its parents', the
 * New* changes, and the windows of its series, study and patient, all in one transaction.
 */
import { rmSync } from 'node:fs'
import type { ParentLevel, Tags } from '../../dicom/dicom.ts'
import { refuseFullDisk } from '../../lib/full-disk.ts'
import type { Age, Arrival, Content, Origin, Recorded } from '../store.ts'
import { writeNew } from './journal/pieces.ts'
import { removeInstance } from './remove.ts'
import { appendChange, levelNumber, type ResourceRow, resourceBy } from './rows.ts'
import type { Session } from './session.ts'
import { touchWindow } from './windows.ts'

export function record(session: Session, arrival: Arrival): Recorded['status'] {
  const { ids } = arrival.header
  const held = session.sql('select 1 from instance where public_id = ?').get(ids.instance)
  if (held !== undefined) {
    if (arrival.whenHeld === 'keep') return 'AlreadyStored'
    removeInstance(session, ids.instance)
  }
  if (arrival.content !== null) writeContent(session, arrival.content)
  recordRows(session, arrival)
  return 'Success'
}

/** The file goes again if its rows do. */
function writeContent(session: Session, { path, bytes }: Content): void {
  session.onRollback.push(() => rmSync(path, { force: true }))
  try {
    writeNew(path, [bytes])
    session.reach('file-written')
  } catch (thrown) {
    refuseFullDisk(thrown)
  }
}

function recordRows(session: Session, arrival: Arrival): void {
  const { ids } = arrival.header
  const { tags, expectedInstances } = arrival.header
  const origin = originRow(session, arrival.origin)
  const patient = parentRow(session, 'Patient', ids.patient, null, { tags: tags.patient })
  const study = parentRow(session, 'Study', ids.study, patient.row.id, {
    tags: tags.study,
    patientTags: tags.patient,
  })
  const series = parentRow(session, 'Series', ids.series, study.row.id, {
    tags: tags.series,
    expected: expectedInstances,
  })
  const instance = insertInstance(session, arrival, series.row.id, origin)
  appendChange(session, 'NewInstance', { resource: instance, id: ids.instance, key: ids.study, origin })
  if (series.isNew)
    appendChange(session, 'NewSeries', { resource: series.row.id, id: ids.series, key: ids.study, origin })
  if (study.isNew)
    appendChange(session, 'NewStudy', { resource: study.row.id, id: ids.study, key: ids.study, origin })
  if (patient.isNew)
    appendChange(session, 'NewPatient', {
      resource: patient.row.id,
      id: ids.patient,
      key: ids.patient,
      origin,
    })
  countArrival(session, series.row, origin)
  if (isCompletedBy(session, series.row)) {
    appendChange(session, 'CompletedSeries', {
      resource: series.row.id,
      id: ids.series,
      key: ids.study,
      origin,
    })
  }
  touch(session, 'Series', series, arrival.ages.Series)
  touch(session, 'Study', study, arrival.ages.Study)
  touch(session, 'Patient', patient, arrival.ages.Patient)
}

interface Parent {
  readonly row: ResourceRow
  readonly isNew: boolean
}

interface ParentFacts {
  readonly tags: Tags
  /** A study keeps the patient's tags as its own first instance has them. */
  readonly patientTags?: Tags
  readonly expected?: number | null
}

function parentRow(
  session: Session,
  level: ParentLevel,
  id: string,
  parent: number | null,
  { tags, patientTags, expected }: ParentFacts,
): Parent {
  const held = resourceBy(session, level, id)
  if (held !== undefined) return { row: held, isNew: false }
  session
    .sql(
      `insert into resource (level, public_id, parent, tags, patient_tags, created_at, updated_at, expected, modality)
       values (@level, @id, @parent, @tags, @patientTags, @now, @now, @expected, @modality)`,
    )
    .run({
      level: levelNumber(level),
      id,
      parent,
      tags: JSON.stringify(tags),
      patientTags: patientTags === undefined ? null : JSON.stringify(patientTags),
      now: session.nowMs,
      expected: expected ?? null,
      modality: tags.Modality ?? null,
    })
  return { row: resourceBy(session, level, id)!, isNew: true }
}

function insertInstance(
  session: Session,
  { header, file, sizeBytes }: Arrival,
  series: number,
  origin: number,
): number {
  const { lastInsertRowid } = session
    .sql(
      `insert into instance (public_id, series, tags, file, size_bytes, sop_class, transfer_syntax, place, received_at, origin)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      header.ids.instance,
      series,
      JSON.stringify(header.tags.instance),
      file,
      sizeBytes,
      header.sopClassUid,
      header.transferSyntaxUid,
      header.indexInSeries,
      session.nowMs,
      origin,
    )
  return Number(lastInsertRowid)
}

function originRow(session: Session, origin: Origin): number {
  const facts = JSON.stringify(origin)
  const held = session.sql('select id from origin where facts = ?').get(facts) as { id: number } | undefined
  return held?.id ?? Number(session.sql('insert into origin (facts) values (?)').run(facts).lastInsertRowid)
}

function countArrival(session: Session, series: ResourceRow, origin: number): void {
  session
    .sql(
      `update resource set instance_count = instance_count + 1, first_at = coalesce(first_at, @now), last_at = @now where id = @id`,
    )
    .run({ now: session.nowMs, id: series.id })
  session.sql('insert or ignore into series_origin values (?, ?)').run(series.id, origin)
}

/** Complete as Orthanc means it: as many instances as announced, at places 1 to that number, none twice. */
function isCompletedBy(session: Session, series: ResourceRow): boolean {
  if (series.expected === null || series.instance_count + 1 !== series.expected) return false
  const { places } = session
    .sql('select count(distinct place) as places from instance where series = ? and place between 1 and ?')
    .get(series.id, series.expected) as { places: number }
  return places === series.expected
}

function touch(session: Session, level: ParentLevel, { row, isNew }: Parent, age: Age): void {
  if (!isNew) session.sql('update resource set updated_at = ? where id = ?').run(session.nowMs, row.id)
  touchWindow(session, level, row.id, age)
}
