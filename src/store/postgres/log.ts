/**
 * The log as `/changes` shows it: pages of it, and the line before which nothing is shown any more.
 */
import { changeTypes, levelOfType, typeNumber } from '../numbers.ts'
import type { ChangesPage, ChangesQuery } from '../store.ts'
import type { Session } from './session.ts'

const shownByDefault = changeTypes.filter((type) => !type.startsWith('Deleted'))

interface LogState {
  readonly last_seq: number
  readonly hidden: number
}

export async function changes(session: Session, query: ChangesQuery): Promise<ChangesPage> {
  const { connections } = session
  await connections.value('number_pending')
  const { last_seq, hidden } = await logState(session)
  const since = Math.max(query.since ?? 0, hidden)
  const backwards = query.last === true || (query.to !== undefined && (query.since ?? 0) === 0)
  const limit = query.last === true ? 1 : Math.max(0, query.limit)
  const rows = await connections.rows<{ seq: number; type: number; public_id: string; at: number }>(
    `select seq, type, public_id, at from change where seq > $1 and seq <= $2 and type = any ($3)
     order by seq ${backwards ? 'desc' : 'asc'} limit $4`,
    [since, query.to ?? last_seq, (query.types ?? shownByDefault).map(typeNumber), limit + 1],
  )
  const page = rows.slice(0, limit)
  if (backwards) page.reverse()
  return {
    changes: page.map(({ seq, type, public_id, at }) => {
      const name = changeTypes[type]!
      return { seq, type: name, level: levelOfType(name), id: public_id, atMs: at }
    }),
    done: query.last === true || query.limit < 0 || rows.length <= limit,
    last: page.at(-1)?.seq ?? last_seq,
  }
}

export async function hideChanges({ connections }: Session): Promise<void> {
  await connections.value('number_pending')
  await connections.rows('update log_state set hidden = last_seq')
}

async function logState({ connections }: Session): Promise<LogState> {
  const [state] = await connections.rows<LogState>('select last_seq, hidden from log_state')
  return state!
}
