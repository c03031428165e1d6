/** A row of the log as it is published; the same in both stores. */
import { changeTypes, levelOfType } from './numbers.ts'
import type { LoggedChange } from './store.ts'

export interface LoggedRow {
  readonly seq: number
  readonly type: number
  readonly public_id: string
  readonly key: string
  readonly at: number
  readonly event: string | null
}

export function loggedChange({ seq, type: number, public_id, key, at, event }: LoggedRow): LoggedChange {
  const type = changeTypes[number]!
  return { seq, type, level: levelOfType(type), id: public_id, key, atMs: at, event }
}
