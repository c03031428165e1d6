/**
 * Settles deliveries: how a run ended, what it wrote to its memory, and how the delivery goes on, together.
 */

import { deliveryState } from '../delivery-state.ts'
import type { Settlement } from '../store.ts'
import { writeKeyValues } from './key-value.ts'
import { isNextToFinish, noteFinished } from './late.ts'
import { insertRun, type RunOf } from './runs.ts'
import type { Session } from './session.ts'
import { letGoOn, putAsideBehind, stateByTurn } from './turn.ts'

interface DeliveryRow extends RunOf {
  readonly script: number
  readonly key: string
  /** Of a replay: its number. */
  readonly replay: number
  readonly resource: number | null
  /** Of a Stable* change. */
  readonly revision: number | null
  readonly newest_instance: number | null
}

export function settle(session: Session, settlement: Settlement): boolean {
  return settleAll(session, [settlement])[0]!
}

export function settleAll(session: Session, settlements: readonly Settlement[]): boolean[] {
  /** By script and key. */
  const ended = new Map<string, DeliveryRow>()
  const settled = settlements.map((settlement) => {
    const row = settleOne(session, settlement)
    if (row !== null && (settlement.next === 'done' || settlement.next === 'dead'))
      ended.set(`${row.script} ${row.key}`, row)
    return row !== null
  })
  for (const row of ended.values()) letGoOn(session, row)
  return settled
}

/** @returns null if it is no longer leased under this fence */
function settleOne(session: Session, settlement: Settlement): DeliveryRow | null {
  const row = session
    .sql(
      `select d.id, d.script, d.key, s.name, d.callback, d.seq, d.attempt, d.replay, c.type, c.public_id, c.key as study, c.resource,
         c.revision, c.newest_instance
       from delivery d join script s on s.id = d.script left join change c on c.seq = d.seq
       where d.id = +? and d.fence = +? and d.state = 1`,
    )
    .get(settlement.delivery, settlement.fence) as DeliveryRow | undefined
  if (row === undefined) return null
  if (settlement.run !== null) insertRun(session, row, settlement.run)
  if (settlement.run?.outcome === 'ok' && row.revision !== null) {
    const told = { ...row, resource: row.resource!, revision: row.revision }
    if (row.replay === 0 || isNextToFinish(session, told)) noteFinished(session, told)
  }
  writeKeyValues(session, row.name, settlement.keyValueWrites)
  moveOn(session, row, settlement)
  return row
}

function moveOn(session: Session, row: DeliveryRow, { next, delayMs, run }: Settlement): void {
  switch (next) {
    case 'done':
      session.sql('delete from delivery where id = ?').run(row.id)
      return
    case 'retry':
      session
        .sql('update delivery set state = ?, run_at = ?, lease_until = null, reason = ? where id = ?')
        .run(deliveryState.waiting, session.nowMs + delayMs, run?.reason ?? null, row.id)
      putAsideBehind(session, row)
      return
    case 'dead':
      session
        .sql('update delivery set state = ?, lease_until = null, reason = ?, ended_at = ? where id = ?')
        .run(deliveryState.dead, run?.reason ?? null, session.nowMs, row.id)
      return
    case 'release':
      session
        .sql(
          `update delivery set state = ${stateByTurn}, lease_until = null, attempt = attempt - 1 where id = ?`,
        )
        .run(row.id)
      return
    default:
      next satisfies never
  }
}
