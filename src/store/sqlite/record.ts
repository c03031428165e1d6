/**
 * Records an instance that is durable already: its file if it is not there yet, its row and its parents', the
 * New* changes, and the windows of its series, study and patient, all in one transaction.
 */
import { rmSync } from 'node:fs'
import { refuseFullDisk } from '../../lib/full-disk.ts'
import { writeNew } from '../../lib/pieces.ts'
import { heldElsewhere } from '../arrival.ts'
import type { Arrival, ChangeType, Content, Recorded } from '../store.ts'
import { removeInstance } from './remove.ts'
import { appendChange, type ResourceRow } from './rows.ts'
import type { Session } from './session.ts'
import type { Touched } from './touched.ts'

/** @param touched of this transaction; to be written before it ends */
export function record(session: Session, arrival: Arrival, touched: Touched): Recorded['status'] {
  const { ids } = arrival.header
  const held = session.sql('select file from instance where public_id = ?').get(ids.instance) as
    | { file: string }
    | undefined
  if (held !== undefined) {
    if (staysAsHeld(held.file, arrival)) return 'AlreadyStored'
    touched.write()
    if (held.file === heldElsewhere) giveWay(session, ids.instance)
    else removeInstance(session, ids.instance)
  }
  if (arrival.content !== null) writeContent(session, arrival.content)
  recordRows(session, arrival, touched, held?.file === heldElsewhere)
  return 'Success'
}

/** Who announces an instance that is held here brings nothing new. */
function staysAsHeld(heldFile: string, { file, whenHeld }: Arrival): boolean {
  if (file === heldElsewhere) return true
  return heldFile !== heldElsewhere && whenHeld === 'keep'
}

/** Nothing is deleted, so nobody is told so: the same instance comes with its bytes. */
function giveWay(session: Session, id: string): void {
  session
    .sql(
      'update resource set instance_count = instance_count - 1 where id = (select series from instance where public_id = ?)',
    )
    .run(id)
  session.sql('delete from instance where public_id = ?').run(id)
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

/** @param wasThere without its bytes: it completes nothing that was not complete before */
function recordRows(session: Session, arrival: Arrival, touched: Touched, wasThere: boolean): void {
  const { ids, tags, expectedInstances } = arrival.header
  const origin = touched.origin(arrival.origin)
  const patient = touched.parent('Patient', ids.patient, null, { tags: tags.patient })
  const study = touched.parent('Study', ids.study, patient.row, {
    tags: tags.study,
    patientTags: tags.patient,
  })
  const facts = { tags: tags.series, expected: expectedInstances }
  const series = touched.parent('Series', ids.series, study.row, facts)
  const instance = insertInstance(session, arrival, series.row.id, origin)
  const append = (type: ChangeType, resource: number, id: string, key = ids.study) =>
    appendChange(session, type, { resource, id, key, origin })
  append('NewInstance', instance, ids.instance)
  if (series.isNew) append('NewSeries', series.row.id, ids.series)
  if (study.isNew) {
    append('NewStudy', study.row.id, ids.study)
    noteSubject(session, arrival.header)
  }
  if (patient.isNew) append('NewPatient', patient.row.id, ids.patient, ids.patient)
  const elsewhere = arrival.file === heldElsewhere
  touched.touch(series, arrival.ages.Series, origin, elsewhere)
  touched.touch(study, arrival.ages.Study, origin, elsewhere)
  touched.touch(patient, arrival.ages.Patient, origin, elsewhere)
  if (!wasThere && isComplete(session, series.row, touched.instancesOf(series)))
    append('CompletedSeries', series.row.id, ids.series)
}

/** By what a study's runs are searched, also when it is gone. */
function noteSubject(session: Session, { ids, tags }: Arrival['header']): void {
  session
    .sql('insert or replace into subject values (?, ?, ?, ?)')
    .run(ids.study, ids.patient, tags.patient.PatientID ?? '', tags.study.AccessionNumber ?? '')
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

/** Complete as Orthanc means it: as many instances as announced, at places 1 to that number, none twice. */
function isComplete(session: Session, { id, expected }: ResourceRow, instances: number): boolean {
  if (expected === null || instances !== expected) return false
  const { places } = session
    .sql('select count(distinct place) as places from instance where series = ? and place between 1 and ?')
    .get(id, expected) as { places: number }
  return places === expected
}
