/** Commands that come by a broker, which delivers at least once: each is carried out once. */
import { commandsKeptMs } from '../broker.ts'
import { typeNumber } from '../numbers.ts'
import type { Command, Commanded, Subscription } from '../store.ts'
import { replayChange } from './replay.ts'
import { resourceBy } from './rows.ts'
import type { Session } from './session.ts'
import { forceStable } from './tick.ts'

export function command(session: Session, id: string, what: Command): Commanded {
  if (session.sql('select 1 from command where id = ?').get(id) !== undefined) return 'repeated'
  const result = carryOut(session, what)
  if (result === 'done') session.sql('insert into command values (?, ?)').run(id, session.nowMs)
  session
    .sql('delete from command where id in (select id from command where at < ? order by at limit 100)')
    .run(session.nowMs - commandsKeptMs)
  return result
}

function carryOut(session: Session, what: Command): Commanded {
  switch (what.kind) {
    case 'settle':
      if (resourceBy(session, what.level, what.id) === undefined) return 'unknown-resource'
      forceStable(session, what.level, what.id)
      return 'done'
    case 'run':
      return tellAgain(session, what)
    default:
      return what satisfies never
  }
}

function tellAgain(session: Session, what: Command & { kind: 'run' }): Commanded {
  const { script: name, callback, level, id } = what
  const script = session.sql('select id, subscriptions from script where name = ?').get(name) as
    | { id: number; subscriptions: string }
    | undefined
  if (script === undefined) return 'unknown-script'
  const subscription = (JSON.parse(script.subscriptions) as Subscription[]).find(
    (each) => each.callback === callback && each.type === `Stable${level}`,
  )
  if (subscription === undefined) return 'unknown-callback'
  const resource = resourceBy(session, level, id)
  if (resource === undefined) return 'unknown-resource'
  const change = session
    .sql(
      `select seq from change where resource = ? and type between 4 and 6 and type = ${typeNumber(`Stable${level}`)}
       order by seq desc limit 1`,
    )
    .get(resource.id) as { seq: number } | undefined
  if (change === undefined) return 'nothing-to-tell'
  replayChange(session, { script: script.id, callback, seq: change.seq, choice: subscription.key ?? 'study' })
  return 'done'
}
