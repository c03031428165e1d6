/** Removes changes that the log need not have any more, some at a time. */
import type { LogRetention, Straggler } from '../store.ts'
import { lastSeq } from './changes.ts'
import type { Session } from './session.ts'

/** In one transaction. */
const atATime = 500

/** Of a row beside its event. */
const rowBytes = 200

const samples = 200

/**
 * Every script still has its changes, as far back as it may be behind, and so has every delivery, and whoever
 * publishes them, unless nobody has for as long as changes are kept.
 * @returns whether there may be more to remove
 */
export function retireChanges(session: Session, { ageMs, mostBehind, tooMany }: LogRetention): boolean {
  const end = lastSeq(session)
  const { slowest } = session
    .sql(
      `select coalesce(min(case when cursor < replay_until then cursor else max(cursor, @bound) end), @end) as slowest
       from (select cursor, case state when 'parked' then 0 else replay_until end as replay_until from script
         union all select cursor, 0 from relay where held_until > @now - @ageMs)`,
    )
    .get({ end, bound: end - mostBehind, now: session.nowMs, ageMs }) as { slowest: number }
  // The oldest come first, so that nothing is looked at that is too young. The last one stays, as the number from
  // which readers of the log go on.
  const oldest = session
    .sql(
      `select seq, at from change c where seq <= ? and seq < ?
         and not exists (select 1 from delivery d where d.seq = c.seq) order by seq limit +${atATime}`,
    )
    .all(slowest, end) as { seq: number; at: number }[]
  const old = oldest.filter(({ at }) => tooMany || at < session.nowMs - ageMs)
  const remove = session.sql('delete from change where seq = ?')
  for (const { seq } of old) remove.run(seq)
  return old.length === atATime
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
 * An estimate by some rows, evenly over all. From the first on of which nothing is owed there are no gaps to speak of,
 * since they go in their order; so none is counted.
 */
export function logBytes(session: Session): number {
  const row = session
    .sql(
      `select seq from change c where not exists (select 1 from delivery d where d.seq = c.seq) order by seq limit 1`,
    )
    .get() as { seq: number } | undefined
  if (row === undefined) return 0
  const first = row.seq
  const count = lastSeq(session) - first + 1
  const sample = session.sql(
    `select octet_length(coalesce(event, '')) as bytes from change where seq >= ? order by seq limit 1`,
  )
  let bytes = 0
  for (let n = 0; n < samples; n++) {
    const at = first + Math.floor(((count - 1) * n) / (samples - 1))
    bytes += (sample.get(at) as { bytes: number }).bytes
  }
  return Math.round(count * (bytes / samples + rowBytes))
}
