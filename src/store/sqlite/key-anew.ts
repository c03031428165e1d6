/**
 * A script chose another key: what it is owed already gets that, too, so that it stays in order with what comes.
 */
import { changeTypes } from '../numbers.ts'
import type { Subscription } from '../store.ts'
import { deliveryKey, type KeyedChange, keyed } from './delivery-key.ts'
import type { Session } from './session.ts'
import { sortOut } from './turn.ts'

interface OwedRow extends Omit<KeyedChange, 'level' | 'isStable'> {
  readonly delivery: number
  readonly callback: string
  readonly owed_key: string
  readonly type: number
}

/** @param before what it wanted to be told until now, as JSON */
export function keyAnew(
  session: Session,
  script: number,
  before: string,
  subscriptions: readonly Subscription[],
): void {
  if (before === JSON.stringify(subscriptions)) return
  const update = session.sql('update delivery set key = ? where id = ?')
  let hasChanged = false
  for (let last = 0; ; ) {
    const owed = pageOf(session, script, last)
    for (const row of owed) {
      const type = changeTypes[row.type]!
      const wanted = subscriptions.find((each) => each.type === type && each.callback === row.callback)
      if (wanted === undefined) continue
      const key = deliveryKey(session, wanted.key ?? 'study', keyed(row, type))
      if (key === row.owed_key) continue
      update.run(key, row.delivery)
      hasChanged = true
    }
    if (owed.length === 0) break
    last = owed.at(-1)!.delivery
  }
  if (hasChanged) sortOut(session, script)
}

/** Some of them: there may be very many. */
function pageOf(session: Session, script: number, after: number): OwedRow[] {
  return session
    .sql(
      `select d.id as delivery, d.callback, d.key as owed_key, c.seq, c.type, c.resource, c.public_id, c.key, c.event
       from delivery d join change c on c.seq = d.seq where d.script = ? and d.id > ? order by d.id limit 500`,
    )
    .all(script, after) as OwedRow[]
}
