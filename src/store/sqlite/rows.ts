/** Rows as they are read, and the row that every change is. */
import type { ParentLevel } from '../../dicom/dicom.ts'
import { levelNumber, typeNumber } from '../numbers.ts'
import type { ChangeType } from '../store.ts'
import type { Session } from './session.ts'

/** A patient, study or series. */
export interface ResourceRow {
  id: number
  level: number
  public_id: string
  parent: number | null
  tags: string
  /** Studies only. */
  patient_tags: string | null
  created_at: number
  updated_at: number
  revision: number
  settled_instance: number
  expected: number | null
  modality: string | null
  first_at: number | null
  last_at: number | null
  instance_count: number
}

export interface InstanceRow {
  id: number
  public_id: string
  series: number
  tags: string
  file: string
  size_bytes: number
  sop_class: string
  transfer_syntax: string
  place: number | null
  received_at: number
  origin: number
}

export interface WindowRow {
  resource: number
  level: number
  opened_at: number
  last_at: number
  age_ms: number
  max_wait_ms: number | null
  check_at: number
  /** Some of what moved it is held elsewhere: it waits until all that was announced has been taken in. */
  elsewhere: number
  /** When it will have been quiet, if it only waits for that. */
  held_due: number | null
}

export function resourceBy(session: Session, level: ParentLevel, id: string): ResourceRow | undefined {
  return session
    .sql('select * from resource where level = ? and public_id = ?')
    .get(levelNumber(level), id) as ResourceRow | undefined
}

export function resourceAt(session: Session, row: number): ResourceRow {
  return session.sql('select * from resource where id = ?').get(row) as ResourceRow
}

/** Appends a change to the log, which numbers it. */
export function appendChange(
  session: Session,
  type: ChangeType,
  change: {
    resource: number
    id: string
    key: string
    origin?: number
    event?: string
    stable?: { revision: number; newestInstance: number }
  },
): void {
  session
    .sql(
      `insert into change (type, resource, public_id, key, at, origin, event, revision, newest_instance)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      typeNumber(type),
      change.resource,
      change.id,
      change.key,
      session.nowMs,
      change.origin ?? null,
      change.event ?? null,
      change.stable?.revision ?? null,
      change.stable?.newestInstance ?? null,
    )
}
