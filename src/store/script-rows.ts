/** Rows of scripts with their version in force, as all stores keep them, and what they say. */
import type { ScriptRow, Subscription } from './store.ts'

export interface ScriptTableRow {
  name: string
  state: ScriptRow['state']
  cursor: number
  subscriptions: string
  hash: string
  code: string
  source_map: string
  suspended_reason: string | null
  suspended_at: number | null
  paused_at: number | null
}

export function scriptRow(row: ScriptTableRow): ScriptRow {
  const version = { hash: row.hash, code: row.code, sourceMap: row.source_map }
  return { ...standingOf(row), cursor: row.cursor, version }
}

/** Whether it is served, and what it is told. */
export function standingOf({
  name,
  state,
  subscriptions,
  ...row
}: Omit<ScriptTableRow, 'cursor' | 'hash' | 'code' | 'source_map'>) {
  return {
    name,
    state,
    subscriptions: JSON.parse(subscriptions) as Subscription[],
    pausedAtMs: row.paused_at,
    suspension:
      state === 'suspended' ? { reason: row.suspended_reason ?? '', atMs: row.suspended_at ?? 0 } : null,
  }
}
