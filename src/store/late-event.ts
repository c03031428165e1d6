/** The event of a Stable* change as a callback is told it that may have been told of the resource before. */
import { jsonJoined } from './json-parts.ts'
import type { Late } from './store.ts'

/** What a callback does not know yet. Lists of instances are JSON. */
export interface SinceFacts {
  /** The revision that it knows; 0: none. */
  readonly sinceRevision: number
  readonly addedAfter: number
  readonly addedUpTo: number
  /** Null: what the event says already. */
  readonly added: string | null
  /** Null: it knows of nothing that could be gone. */
  readonly removed: string | null
}

export interface Told {
  /** JSON. */
  readonly event: string
  readonly late: Late | null
}

const nothing = '{"seriesCount":0,"instanceCount":0,"series":[],"instances":[]}'

/** @param event as it was fixed: `added` is what came since the revision before */
export function toldSince(event: string, revision: number, facts: SinceFacts): Told {
  const { sinceRevision, addedAfter, addedUpTo, added, removed } = facts
  const more = `{"sinceRevision":${sinceRevision},"removed":${removed ?? nothing}}`
  const late = {
    revision,
    sinceRevision,
    addedAfter,
    addedUpTo,
    addedCount: added === null ? JSON.parse(event).added.instanceCount : countIn(added),
    removedCount: countIn(removed ?? nothing),
  }
  return { event: added === null ? jsonJoined(event, more) : replaced(event, added, more), late }
}

/** What it is told says nothing of what it knows. */
export function toldAsItWas(event: string, revision: number): Told {
  return { event: jsonJoined(event, `{"sinceRevision":${revision - 1},"removed":${nothing}}`), late: null }
}

/** What a change tells that nobody was told of before: all that is known of it in the log. @param fixed its event */
export function toldFirst(fixed: string, revision: number | null): string {
  return revision === 1 ? toldAsItWas(fixed, revision).event : fixed
}

/** Whether the log alone says what was told. @param fixed the event of the change itself */
export function isAsLogged(event: string | null, fixed: string | null, revision: number | null): boolean {
  return event === fixed || (fixed !== null && event === toldFirst(fixed, revision))
}

/** A key that comes twice would count by its place only for some readers of JSON. */
function replaced(event: string, added: string, more: string): string {
  return JSON.stringify({ ...JSON.parse(event), added: JSON.parse(added), ...JSON.parse(more) })
}

const countIn = (list: string): number => (JSON.parse(list) as { instanceCount: number }).instanceCount
