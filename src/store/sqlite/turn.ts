/**
 * Whose turn it is within a key. Behind a delivery that was tried, or is at work, and has not ended, nothing of its key is
 * handed out. What comes behind one that waits for its next try is put aside, and so is what is far behind in its key: a
 * receiver that is down for days costs nothing while others are looked for, nor do the thousands of a large study while
 * one of them is at work. Whichever of a key ends lets go on some of those that are behind no other.
 */
import type { Session } from './session.ts'

/** Behind so many of its key one is put aside. */
const mostInLine = 150
/** So many are let go on at a time, when fewer than these are left before them. */
const mostLetGoOn = 100
const enoughBefore = 50

/**
 * Was tried, or is behind one that was, and is not at work. In these words, which an index is by: a key may have thousands
 * of deliveries that hold up nothing.
 */
const holdsUpAs = (row: string) =>
  `(${row}.state = 3 or ${row}.state = 4 or (${row}.state = 0 and ${row}.attempt > 0))`
const holdsUp = holdsUpAs('delivery')

/** The state of one that is live and not leased, out of its row in `delivery`. */
export const stateByTurn = `case when exists (
    select 1 from delivery e where e.script = delivery.script and e.key = delivery.key and e.id < delivery.id and ${holdsUpAs('e')}) then 4 else 0 end`

/**
 * The states of deliveries of a script that are added now, each behind all others of its key: to be asked for in the order
 * in which they are added, while nothing else is.
 */
export function statesOfLast(session: Session, script: number): (key: string) => 0 | 4 {
  const inLine = session.sql(
    `select case when exists (select 1 from delivery where script = +@script and key = @key and ${holdsUp})
       then ${mostInLine} else (select count(*) from (
         select 1 from delivery where script = +@script and key = @key and state <> 2 limit ${mostInLine})) end as length`,
  )
  const lengths = new Map<string, number>()
  return (key) => {
    const before = lengths.get(key) ?? (inLine.get({ script, key }) as { length: number }).length
    lengths.set(key, before + 1)
    return before < mostInLine ? 0 : 4
  }
}

/** That nothing holds up the delivery `d`. */
export const isItsTurn = `not exists (
    select 1 from delivery e where e.script = d.script and e.key = d.key and e.id < d.id and e.state <> 2
      and (e.state <> 0 or e.attempt > 0))`

interface Place {
  readonly id: number
  readonly script: number
  readonly key: string
}

/** One of a key waits now. */
export function putAsideBehind(session: Session, { id, script, key }: Place): void {
  session
    .sql(
      'update delivery set state = 4 where script = +? and key = ? and id > ? and state <> 2 and state = 0',
    )
    .run(script, key, id)
}

/** Some of a key have ended. */
export function letGoOn(session: Session, { script, key }: Omit<Place, 'id'>): void {
  const { first } = session
    .sql('select min(id) as first from delivery where script = +? and key = ? and state = 4')
    .get(script, key) as { first: number | null }
  if (first === null) return
  const { before } = session
    .sql(
      `select count(*) as before from (
         select 1 from delivery where script = +? and key = ? and id < ? and state <> 2 limit ?)`,
    )
    .get(script, key, first, enoughBefore) as { before: number }
  if (before === enoughBefore) return
  session
    .sql(
      `update delivery set state = 0 where id in (
         select id from delivery where script = +@script and key = @key and state = 4 and id <= coalesce(
           (select min(id) from delivery where script = +@script and key = @key and ${holdsUp} and state <> 4), id)
         order by id limit +@most)`,
    )
    .run({ script, key, most: mostLetGoOn })
}

/** The next try of those whose time has come. */
export function endWaits(session: Session): void {
  session.sql(`update delivery set state = ${stateByTurn} where state = 3 and run_at <= ?`).run(session.nowMs)
}

/** Puts aside and lets go on anew. @param script null: what all are owed */
export function sortOut(session: Session, script: number | null): void {
  const isWanted = '(@script is null or script = @script)'
  session.sql(`update delivery set state = 0 where state = 4 and ${isWanted}`).run({ script })
  const first = session.sql(
    `select min(id) as id, script, key from delivery where ${holdsUp} and ${isWanted} group by script, key`,
  )
  for (const each of first.all({ script }) as Place[]) putAsideBehind(session, each)
  session
    .sql(
      `update delivery set state = 4 where state = 0 and id in (
         select id from (
           select id, row_number() over (partition by script, key order by id) as place from delivery
           where state <> 2 and ${isWanted})
         where place > ${mostInLine})`,
    )
    .run({ script })
}
