/**
 * A resource with its parents, as events tell it: level, identifiers, and the tags of all levels above.
 */
import type { Tags } from '../../dicom/dicom.ts'
import { type JsonParts, jsonObject } from '../json-parts.ts'
import { levelOf } from '../numbers.ts'
import { type ResourceRow, resourceAt } from './rows.ts'
import type { Session } from './session.ts'

export interface Family {
  /** `level`, `id`, `tags`, and of those above: `parents`, `studyTags`, `patientTags`. */
  readonly facts: JsonParts
  /** Identifiers of those above, by level. */
  readonly parents: JsonParts
  /** What deliveries about it are kept in order by: its study, or the patient itself. */
  readonly key: string
}

/** The facts of a patient, study or series. */
export function familyOf(session: Session, row: ResourceRow): Family {
  const facts: Record<string, string> = {
    level: JSON.stringify(levelOf(row.level)),
    id: JSON.stringify(row.public_id),
    tags: row.tags,
  }
  const parents: Record<string, string> = {}
  let key = row.public_id
  let patientTags = row.patient_tags
  for (let parent = row.parent; parent !== null; ) {
    const above = resourceAt(session, parent)
    const name = levelOf(above.level).toLowerCase()
    patientTags ??= above.patient_tags
    facts[`${name}Tags`] = name === 'patient' && patientTags !== null ? patientTags : above.tags
    parents[name] = JSON.stringify(above.public_id)
    if (levelOf(above.level) === 'Study') key = above.public_id
    parent = above.parent
  }
  if (row.parent !== null) facts.parents = jsonObject(parents)
  return { facts, parents, key }
}

export function parseTags(text: string): Tags {
  return JSON.parse(text) as Tags
}
