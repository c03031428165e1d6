/**
 * What a delivery is kept in order by: the script's choice, applied to the resource that the change is about.
 */

import { levelNumber, levelOfType } from '../numbers.ts'
import type { ChangeType, KeyChoice } from '../store.ts'
import type { Session } from './session.ts'

/** What of a change decides. */
export interface KeyedChange {
  readonly seq: number
  /** Row of the resource; it may be gone. */
  readonly resource: number
  readonly level: number
  readonly public_id: string
  /** Identifier of its study, or of the patient that it is about. */
  readonly key: string
  readonly event: string | null
  /** It says that the resource is stable. */
  readonly isStable: boolean
}

/** A row of the log as far as it decides. */
export function keyed<Row extends object>(row: Row, type: ChangeType) {
  return { ...row, level: levelNumber(levelOfType(type)), isStable: type.startsWith('Stable') }
}

/**
 * Identifiers of all levels differ, so that they can be keys beside each other. A resource above the chosen level is
 * its own key.
 */
export function deliveryKey(session: Session, choice: KeyChoice, change: KeyedChange): string {
  switch (choice) {
    case 'study':
      return change.key
    case 'resource':
      return change.public_id
    case 'none':
      // Revisions are told one after the other, whatever else is not.
      return change.isStable ? change.public_id : `#${change.seq}`
    case 'patient':
    case 'series':
      return above(session, change, levelNumber(choice === 'patient' ? 'Patient' : 'Series'))
    default:
      return choice satisfies never
  }
}

function above(session: Session, change: KeyedChange, wanted: number): string {
  if (change.level <= wanted) return change.public_id
  const parents = (JSON.parse(change.event ?? '{}') as { parents?: Record<string, string> }).parents
  const told = parents?.[wanted === levelNumber('Patient') ? 'patient' : 'series']
  if (told !== undefined) return told
  const isInstance = change.level === levelNumber('Instance')
  const start = isInstance
    ? session.sql('select series as id from instance where id = ?').get(change.resource)
    : { id: change.resource }
  for (let id = (start as { id: number } | undefined)?.id ?? null; id !== null; ) {
    const row = session.sql('select level, public_id, parent from resource where id = ?').get(id) as
      | { level: number; public_id: string; parent: number | null }
      | undefined
    if (row?.level === wanted) return row.public_id
    id = row?.parent ?? null
  }
  // It is gone, and there will be nothing to tell.
  return change.key
}
