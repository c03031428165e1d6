/** What an occurrence of a change tells as far as the log says so: put together for whoever looks at a run or a delivery. */
import { eventHead, idempotencyKeyOf } from './event-head.ts'
import { jsonJoined } from './json-parts.ts'
import { toldFirst } from './late-event.ts'
import { changeTypes } from './numbers.ts'

export interface ToldOf {
  readonly seq: number
  readonly script: string
  readonly callback: string
  readonly attempt: number
  readonly replay: number
}

/** Its row. */
export interface LoggedChange {
  readonly type: number
  readonly at: number
  readonly revision: number | null
}

/** @param facts of the change, JSON; null: they are gone with its resource */
export function loggedEvent(
  epoch: string,
  told: ToldOf,
  { type, at, revision }: LoggedChange,
  facts: string | null,
): string | null {
  if (facts === null) return null
  const { seq, attempt } = told
  const idempotencyKey = idempotencyKeyOf(epoch, told)
  const head = eventHead({ seq, type: changeTypes[type]!, at, attempt, idempotencyKey })
  return toldFirst(jsonJoined(head, facts), revision)
}
