/** What a message broker brings and takes: announcements, commands, and how far the log was published. */
import { announcedForMs, commandsKeptMs } from '../broker.ts'
import { type LoggedRow, loggedChange } from '../logged-rows.ts'
import { levelNumber } from '../numbers.ts'
import type { Announcements, Command, Commanded, LoggedChange, RelayState, RelayTurn } from '../store.ts'
import type { Session } from './session.ts'

export async function observeAnnouncements(
  { connections, nowMs }: Session,
  caughtUpAtMs: number | null,
): Promise<Announcements> {
  const [row] = await connections.rows<{ now: number; released: boolean; is_waited_for: boolean }>(
    'select * from observe_announcements($1, $2, $3)',
    [nowMs(), caughtUpAtMs, announcedForMs],
  )
  return { nowMs: row!.now, released: row!.released, isWaitedFor: row!.is_waited_for }
}

export function command({ connections, nowMs }: Session, id: string, what: Command): Promise<Commanded> {
  const { script = null, callback = null } = what.kind === 'run' ? what : {}
  return connections.value(
    'command',
    nowMs(),
    id,
    what.kind,
    levelNumber(what.level),
    what.id,
    script,
    callback,
    commandsKeptMs,
  )
}

export async function takeRelay(
  { connections, node, nowMs }: Session,
  ttlMs: number,
): Promise<RelayTurn | null> {
  // The first time it begins at the end of the log.
  await connections.value('number_pending')
  const [turn] = await connections.rows<RelayTurn>('select * from take_relay($1, $2, $3)', [
    nowMs(),
    node,
    ttlMs,
  ])
  return turn ?? null
}

export function advanceRelay({ connections }: Session, fence: number, cursor: number): Promise<boolean> {
  return connections.value('advance_relay', fence, cursor)
}

export async function releaseRelay({ connections, node, nowMs }: Session): Promise<void> {
  await connections.value('release_relay', nowMs(), node)
}

export function rewindRelay({ connections }: Session, since: number): Promise<number | null> {
  return connections.value('rewind_relay', since)
}

export async function relay({ connections, nowMs }: Session): Promise<RelayState | null> {
  await connections.value('number_pending')
  const [state] = await connections.rows<RelayState>(
    `select cursor, last_seq() as last, case when held_until > now_ms($1) then holder end as node from relay`,
    [nowMs()],
  )
  return state ?? null
}

/** In their order, with what they tell. */
export async function changesAfter(
  { connections }: Session,
  seq: number,
  limit: number,
): Promise<LoggedChange[]> {
  await connections.value('number_pending')
  const rows = await connections.rows<LoggedRow>(
    'select seq, type, public_id, key, at, event from change where seq > $1 order by seq limit $2',
    [seq, limit],
  )
  return rows.map(loggedChange)
}
