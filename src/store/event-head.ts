/** What every event begins with, and how a delivery is named for those who must not act twice. Shared by all stores. */
import { isoTime } from './json-parts.ts'
import type { ChangeType } from './store.ts'

export interface EventHead {
  readonly seq: number
  readonly type: ChangeType
  readonly at: number
  readonly attempt: number
  readonly idempotencyKey: string
}

/** JSON, to be joined with what the change tells. */
export function eventHead({ seq, type, at, attempt, idempotencyKey }: EventHead): string {
  return JSON.stringify({ seq, change: type, at: isoTime(at), attempt, idempotencyKey })
}

/** What was replayed is wanted once more by those who look at the key, too. */
export function idempotencyKeyOf(
  epoch: string,
  { seq, script, callback, replay }: { seq: number; script: string; callback: string; replay: number },
): string {
  const key = `${epoch}-${seq}:${script}:${callback}`
  return replay === 0 ? key : `${key}:replay-${replay}`
}

/** Of a heartbeat, which no change owes: its delivery makes it the only one. */
export function heartbeatKeyOf(epoch: string, script: string, delivery: number): string {
  return `${epoch}-0:${script}:onHeartbeat:${delivery}`
}
