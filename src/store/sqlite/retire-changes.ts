/** Removes changes that the log need not have any more, some at a time. */
import { typeNumber } from '../numbers.ts'
import type { LogRetention, LogSize, Retired, Straggler } from '../store.ts'
import { lastSeq } from './changes.ts'
import { sampledBytes } from './sampled-bytes.ts'
import type { Session } from './session.ts'

/** In one transaction. */
const atATime = 500

/** Of a row beside its event. */
const rowBytes = 200

/** Few of the changes say much: as many are needed as a thread may look at in some milliseconds. */
const samples = 2_000

/** Late arrivals at a patient, and what it has, are told what was deleted there. */
const isWanted = `(type = ${typeNumber('DeletedInstance')} and exists (
  select 1 from resource where level = 0 and public_id = json_extract(event, '$.parents.patient')))`

/**
 * Every script still has its changes, as far back as it may be behind, and so has every delivery, and whoever
 * publishes them, unless nobody has for as long as changes are kept.
 */
export function retireChanges(
  session: Session,
  { ageMs, mostBehind, tooMany, after }: LogRetention,
): Retired {
  const end = lastSeq(session)
  const { slowest } = session
    .sql(
      `select coalesce(min(case when cursor < replay_until then cursor else max(cursor, @bound) end), @end) as slowest
       from (select cursor, case state when 'parked' then 0 else replay_until end as replay_until from script
           where subscriptions <> '[]'
         union all select cursor, 0 from relay where held_until > @now - @ageMs)`,
    )
    .get({ end, bound: end - mostBehind, now: session.nowMs, ageMs }) as { slowest: number }
  // The oldest come first, so that nothing is looked at that is too young. The last one stays, as the number from
  // which readers of the log go on.
  const oldest = session
    .sql(
      `select seq, at, ${isWanted} as is_wanted from change c where seq > ? and seq <= ? and seq < ?
         and not exists (select 1 from delivery d where d.seq = c.seq) order by seq limit +${atATime}`,
    )
    .all(after, slowest, end) as { seq: number; at: number; is_wanted: number }[]
  let before = 0
  const gone = oldest.filter(({ at, is_wanted }) => {
    if (at < session.nowMs - ageMs) return true
    return is_wanted === 0 && ++before <= tooMany
  })
  const remove = session.sql('delete from change where seq = ?')
  for (const { seq } of gone) remove.run(seq)
  const isOver = oldest.length < atATime || (before >= tooMany && gone.length < oldest.length)
  return { removed: gone.length, last: isOver ? null : oldest.at(-1)!.seq }
}

/** Scripts that are served, or could be, and for which the log is not kept any longer. */
export function stragglers(session: Session, mostBehind: number): Straggler[] {
  return session
    .sql(
      `select name, version, @end - cursor as behind from script
       where state = 'active' and cursor >= replay_until and cursor < @end - @mostBehind order by name`,
    )
    .all({ end: lastSeq(session), mostBehind }) as Straggler[]
}

/**
 * An estimate by some rows, evenly over all. From the first on that may go there are no gaps to speak of, since they go
 * in their order; so none is counted.
 */
export function logSize(session: Session): LogSize {
  const row = session
    .sql(
      `select seq from change c where type <> ? and not exists (select 1 from delivery d where d.seq = c.seq)
       order by seq limit 1`,
    )
    .get(typeNumber('DeletedInstance')) as { seq: number } | undefined
  if (row === undefined) return { changes: 0, bytes: 0 }
  const last = lastSeq(session)
  const changes = last - row.seq + 1
  const sample = session.sql(
    `select octet_length(coalesce(event, '')) as bytes from change where seq >= ? order by seq limit 1`,
  )
  return { changes, bytes: Math.round(changes * (sampledBytes(sample, row.seq, last, samples) + rowBytes)) }
}
