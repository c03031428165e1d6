/** Orthanc's identifiers, computed here once more from what the files say. */
import { createHash } from 'node:crypto'
import { type FileFacts, uidsOf } from '../support/dicom-files.ts'

export interface Ids {
  readonly Patient: string
  readonly Study: string
  readonly Series: string
  readonly Instance: string
}
export type LevelName = keyof Ids

export function idsOf(facts: FileFacts): Ids {
  const uids = uidsOf(facts)
  const parts = [facts.patient ?? 'P1', uids.study, uids.series, uids.instance]
  const id = (count: number) => {
    const digits = createHash('sha1').update(parts.slice(0, count).join('|')).digest('hex')
    return digits.match(/.{8}/g)!.join('-')
  }
  return { Patient: id(1), Study: id(2), Series: id(3), Instance: id(4) }
}
