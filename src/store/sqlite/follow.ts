/**
 * Turns changes into deliveries, in the order of the log: the cursor of a script moves with them.
 */

import { changeTypes } from '../numbers.ts'
import type { Subscription } from '../store.ts'
import { deliveryKey, type KeyedChange, keyed } from './delivery-key.ts'
import type { BeatingScript } from './heartbeat.ts'
import { oweAgain } from './replay.ts'
import type { Session } from './session.ts'
import { statesOfLast } from './turn.ts'

/** Changes looked at for one script in one transaction. */
const followLimit = 1_000

export interface FollowingScript extends BeatingScript {
  readonly cursor: number
  readonly subscriptions: string
  /** How often it was replayed, and up to which change that goes. */
  readonly replay: number
  readonly replay_until: number
}

/** Makes the deliveries of the next changes and moves the cursor past them. Returns the cursor. */
export function follow(session: Session, script: FollowingScript): number {
  const rows = session
    .sql('select seq, type, resource, public_id, key, event from change where seq > ? order by seq limit +?')
    .all(script.cursor, followLimit) as (Omit<KeyedChange, 'level' | 'isStable'> & { type: number })[]
  const subscriptions = JSON.parse(script.subscriptions) as Subscription[]
  const insert = session.sql(
    'insert into delivery (script, callback, seq, key, state, run_at) values (?, ?, ?, ?, ?, ?)',
  )
  const stateOf = statesOfLast(session, script.id)
  for (const row of rows) {
    const type = changeTypes[row.type]!
    for (const { type: wanted, callback, key = 'study' } of subscriptions) {
      if (wanted !== type) continue
      const ofKey = deliveryKey(session, key, keyed(row, type))
      if (row.seq > script.replay_until)
        insert.run(script.id, callback, row.seq, ofKey, stateOf(ofKey), session.nowMs)
      else {
        const told = { script: script.id, callback, seq: row.seq, key: ofKey }
        oweAgain(session, told, script.replay, null)
      }
    }
  }
  const cursor = rows.at(-1)?.seq ?? script.cursor
  session.sql('update script set cursor = ? where id = ?').run(cursor, script.id)
  return cursor
}
