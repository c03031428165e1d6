/** Rows of deliveries, as all stores keep them, and what they say to an administrator. */
import { deliveryState } from './delivery-state.ts'
import { changeTypes, levelOfType } from './numbers.ts'
import type { DeliverySummary, WaitsFor } from './store.ts'

/** With its script, its change, and the delivery of its key before it. */
export interface DeliveryRow {
  id: number
  script: string
  callback: string
  seq: number
  type: number | null
  public_id: string | null
  key: string
  state: number
  attempt: number
  replay: number
  version: string | null
  run_at: number
  ended_at: number | null
  reason: string | null
  event: string | null
  script_state: string
  paused_at: number | null
  behind: number | null
}

/** When they are looked at. */
interface Moment {
  readonly nowMs: number
  readonly isAllPaused: boolean
}

export function deliverySummary(row: DeliveryRow, at: Moment): DeliverySummary {
  const { id, script, callback, seq, key, attempt, replay, version, reason, behind } = row
  const change = row.type === null ? null : changeTypes[row.type]!
  const isLive = row.state !== deliveryState.dead
  return {
    id,
    script,
    callback,
    seq,
    change,
    resource: change === null ? null : { level: levelOfType(change), id: row.public_id! },
    key,
    state:
      row.state === deliveryState.leased ? 'leased' : row.state === deliveryState.dead ? 'dead' : 'waiting',
    attempt,
    replay,
    version,
    waitsFor: isLive && row.state !== deliveryState.leased ? waitsFor(row, at) : null,
    behind: isLive ? behind : null,
    runAtMs: row.run_at,
    diedAtMs: isLive ? null : row.ended_at,
    reason,
  }
}

function waitsFor(row: DeliveryRow, { nowMs, isAllPaused }: Moment): WaitsFor {
  if (row.script_state === 'parked') return 'script'
  if (row.script_state === 'suspended') return 'suspended'
  if (isAllPaused || row.paused_at !== null) return 'paused'
  if (row.state === deliveryState.waiting && row.run_at > nowMs) return 'backoff'
  return row.behind === null ? 'turn' : 'key'
}
