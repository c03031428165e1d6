/** How far the log was published: one cursor, and whose turn it is to move it. */
import { type LoggedRow, loggedChange } from '../logged-rows.ts'
import type { LoggedChange, RelayState, RelayTurn } from '../store.ts'
import { lastSeq } from './changes.ts'
import type { Session } from './session.ts'

interface RelayRow {
  cursor: number
  fence: number
  holder: string
  held_until: number
}

/** The database belongs to one server. */
const holder = 'this server'

/** Never published before: it begins at the end of the log. */
export function takeRelay(session: Session, ttlMs: number): RelayTurn | null {
  session
    .sql(
      `insert into relay values (1, @cursor, 1, @holder, @until)
       on conflict (only_one) do update set held_until = excluded.held_until, holder = excluded.holder`,
    )
    .run({ cursor: lastSeq(session), holder, until: session.nowMs + ttlMs })
  const { cursor, fence } = relayRow(session)!
  return { cursor, fence }
}

/** False: it was moved by somebody else. */
export function advanceRelay(session: Session, fence: number, cursor: number): boolean {
  return (
    session.sql('update relay set cursor = max(cursor, ?) where fence = ?').run(cursor, fence).changes > 0
  )
}

export function releaseRelay(session: Session): void {
  session.sql('update relay set held_until = min(held_until, ?)').run(session.nowMs)
}

/** @returns where it was; null: nothing was ever published */
export function rewindRelay(session: Session, since: number): number | null {
  const row = relayRow(session)
  if (row === undefined) return null
  session.sql('update relay set cursor = min(cursor, ?), fence = fence + 1').run(since)
  return row.cursor
}

export function relay(session: Session): RelayState | null {
  const row = relayRow(session)
  if (row === undefined) return null
  const isHeld = row.held_until > session.nowMs
  return { cursor: row.cursor, last: lastSeq(session), node: isHeld ? row.holder : null }
}

/** In their order, with what they tell. */
export function changesAfter(session: Session, seq: number, limit: number): LoggedChange[] {
  const rows = session
    .sql('select seq, type, public_id, key, at, event from change where seq > ? order by seq limit +?')
    .all(seq, limit) as LoggedRow[]
  return rows.map(loggedChange)
}

function relayRow(session: Session): RelayRow | undefined {
  return session.sql('select cursor, fence, holder, held_until from relay').get() as RelayRow | undefined
}
