/**
 * The log as `/changes` shows it: pages of it, and the line before which nothing is shown any more.
 */

import { changeTypes, levelOfType, typeNumber } from '../numbers.ts'
import type { Change, ChangesPage, ChangesQuery, ChangeType } from '../store.ts'
import type { Session } from './session.ts'

const shownByDefault = changeTypes.filter((type) => !type.startsWith('Deleted'))

export function changes(session: Session, query: ChangesQuery): ChangesPage {
  const hidden = Number(
    (session.sql(`select value from meta where key = 'hidden'`).get() as { value: number }).value,
  )
  const types = (query.types ?? shownByDefault).map(typeNumber)
  const since = Math.max(query.since ?? 0, hidden)
  const to = query.to ?? Number.MAX_SAFE_INTEGER
  const backwards = query.last === true || (query.to !== undefined && (query.since ?? 0) === 0)
  const limit = query.last === true ? 1 : Math.max(0, query.limit)
  const rows = session
    .sql(
      `select seq, type, public_id, at from change where seq > ? and seq <= ?
       and type in (${types.map(() => '?').join()}) order by seq ${backwards ? 'desc' : 'asc'} limit ?`,
    )
    .all(since, to, ...types, limit + 1) as { seq: number; type: number; public_id: string; at: number }[]
  const page = rows.slice(0, limit)
  if (backwards) page.reverse()
  return {
    changes: page.map(({ seq, type, public_id, at }) => change(seq, changeTypes[type]!, public_id, at)),
    done: query.last === true || query.limit < 0 || rows.length <= limit,
    last: page.at(-1)?.seq ?? lastSeq(session),
  }
}

/** The last number that the log gave. */
export function lastSeq(session: Session): number {
  const row = session.sql(`select seq from sqlite_sequence where name = 'change'`).get() as
    | { seq: number }
    | undefined
  return row?.seq ?? 0
}

/** When the last of them happened: the log never goes back. 0: there is none. */
export function latestChangeMs(session: Session): number {
  const latest = session.sql('select at from change order by seq desc limit 1').get()
  return (latest as { at: number } | undefined)?.at ?? 0
}

export function hideChanges(session: Session): void {
  session.sql(`update meta set value = ? where key = 'hidden'`).run(lastSeq(session))
}

function change(seq: number, type: ChangeType, id: string, atMs: number): Change {
  return { seq, type, level: levelOfType(type), id, atMs }
}
