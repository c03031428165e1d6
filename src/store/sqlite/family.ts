/**
 * A resource with its parents, as events tell it: level, identifiers, and the tags of all levels above.
 */
import type { Tags } from '../../dicom/dicom.ts'
import { levelOf, type ResourceRow, resourceAt } from './rows.ts'
import type { Session } from './session.ts'

export interface Family {
  readonly facts: Record<string, unknown>
  /** What deliveries about it are kept in order by: its study, or the patient itself. */
  readonly key: string
}

/** The facts of a patient, study or series. */
export function familyOf(session: Session, row: ResourceRow): Family {
  const facts: Record<string, unknown> = {
    level: levelOf(row.level),
    id: row.public_id,
    tags: parseTags(row.tags),
  }
  const parents: Record<string, string> = {}
  let key = row.public_id
  let patientTags = row.patient_tags
  for (let parent = row.parent; parent !== null; ) {
    const above = resourceAt(session, parent)
    const name = levelOf(above.level).toLowerCase()
    patientTags ??= above.patient_tags
    facts[`${name}Tags`] = parseTags(name === 'patient' && patientTags !== null ? patientTags : above.tags)
    parents[name] = above.public_id
    if (levelOf(above.level) === 'Study') key = above.public_id
    parent = above.parent
  }
  if (row.parent !== null) facts.parents = parents
  return { facts, key }
}

export function parseTags(text: string): Tags {
  return JSON.parse(text) as Tags
}

export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
