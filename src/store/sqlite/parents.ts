/** The row of a patient, study or series, made by the first instance below it. */
import type { ParentLevel, Tags } from '../../dicom/dicom.ts'
import { levelNumber } from '../numbers.ts'
import { type ResourceRow, resourceBy } from './rows.ts'
import type { Session } from './session.ts'

export interface ParentFacts {
  readonly tags: Tags
  /** A study keeps the patient's tags as its own first instance has them. */
  readonly patientTags?: Tags
  readonly expected?: number | null
}

export function parentRow(
  session: Session,
  level: ParentLevel,
  id: string,
  parent: number | null,
  { tags, patientTags, expected }: ParentFacts,
): { row: ResourceRow; isNew: boolean } {
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
