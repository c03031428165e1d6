/**
 * How words of the contract are written in rows: levels and change types as numbers. The order of the
 * lists is part of the format of every database.
 */
import { type Level, levels } from '../dicom/dicom.ts'
import type { ChangeType } from './store.ts'

export const changeTypes: readonly ChangeType[] = [
  'NewPatient',
  'NewStudy',
  'NewSeries',
  'NewInstance',
  'StablePatient',
  'StableStudy',
  'StableSeries',
  'CompletedSeries',
  'DeletedPatient',
  'DeletedStudy',
  'DeletedSeries',
  'DeletedInstance',
]

export const levelNumber = (level: Level): number => levels.indexOf(level)
export const levelOf = (number: number): Level => levels[number]!
export const typeNumber = (type: ChangeType): number => changeTypes.indexOf(type)
/** Every type but `CompletedSeries` is at its place modulo four levels. */
export const levelOfType = (type: ChangeType): Level =>
  type === 'CompletedSeries' ? 'Series' : levels[typeNumber(type) % 4]!
