/**
 * What a Stable* change is to a callback that was told of the resource before: what came and what went since the
 * last revision that it finished.
 */

import { type Told, toldAsItWas, toldSince } from '../late-event.ts'
import { levelOf } from '../numbers.ts'
import { addedBetween, listLimit, seriesOf } from './added.ts'
import { type ResourceRow, resourceAt } from './rows.ts'
import type { Session } from './session.ts'

/** A Stable* change that is owed to a callback. */
export interface StableOccurrence {
  readonly script: number
  readonly callback: string
  readonly seq: number
  readonly resource: number
  readonly revision: number
  /** Null for changes of older databases. */
  readonly newest_instance: number | null
}

interface FinishedRow {
  revision: number
  newest_instance: number
  seq: number
}

/** @param event as it was fixed: `added` is what came since the revision before */
export function sinceFinished(session: Session, occurrence: StableOccurrence, event: string): Told {
  const { script, callback, resource, revision } = occurrence
  const finished = finishedBy(session, { script, callback, resource })
  // An older one, tried again by hand: a later one has told what came since.
  if (finished !== undefined && finished.revision >= revision)
    return sincePrevious(session, occurrence, event)
  return since(session, occurrence, event, finished)
}

/** Of a replay, or an older one, whatever was finished since: what came since the revision before it. */
export function sincePrevious(session: Session, occurrence: StableOccurrence, event: string): Told {
  const { resource, revision, seq } = occurrence
  if (revision === 1) return since(session, occurrence, event, undefined)
  const previous = session
    .sql(
      `select revision, newest_instance, seq from change
       where resource = ? and type between 4 and 6 and seq < ? order by seq desc limit 1`,
    )
    .get(resource, seq) as
    | (Omit<FinishedRow, 'newest_instance'> & { newest_instance: number | null })
    | undefined
  // The log does not go back that far, or is of an older database.
  if (previous === undefined || previous.newest_instance === null) return toldAsItWas(event, revision)
  return since(session, occurrence, event, { ...previous, newest_instance: previous.newest_instance })
}

/** @param finished the revision that the callback knows; undefined: none */
function since(
  session: Session,
  occurrence: StableOccurrence,
  event: string,
  finished: FinishedRow | undefined,
): Told {
  const { resource, revision } = occurrence
  const row = resourceAt(session, resource)
  const addedAfter = finished?.newest_instance ?? 0
  const addedUpTo = occurrence.newest_instance ?? row.settled_instance
  const sinceRevision = finished?.revision ?? 0
  const isNext = sinceRevision === revision - 1
  const added = isNext ? null : addedBetween(session, seriesOf(session, row), addedAfter, addedUpTo).facts
  const removed =
    finished === undefined ? null : JSON.stringify(removedSince(session, row, finished, occurrence.seq))
  const facts = {
    sinceRevision,
    addedAfter,
    addedUpTo,
    added: added === null ? null : JSON.stringify(added),
    removed,
  }
  return toldSince(event, revision, facts)
}

function finishedBy(
  session: Session,
  { script, callback, resource }: Pick<StableOccurrence, 'script' | 'callback' | 'resource'>,
): FinishedRow | undefined {
  return session
    .sql(
      'select revision, newest_instance, seq from finished where resource = ? and script = ? and callback = ?',
    )
    .get(resource, script, callback) as FinishedRow | undefined
}

/** Whether a replay of a revision moves its callback on: only from the one before it, so that nothing is left out. */
export function isNextToFinish(
  session: Session,
  occurrence: Omit<StableOccurrence, 'newest_instance' | 'seq'>,
): boolean {
  return (finishedBy(session, occurrence)?.revision ?? 0) === occurrence.revision - 1
}

/** A callback has finished a revision: the next one is told of what changes from there. */
export function noteFinished(session: Session, occurrence: StableOccurrence): void {
  const { resource, script, callback, revision, newest_instance, seq } = occurrence
  session
    .sql(
      `insert into finished (resource, script, callback, revision, newest_instance, seq)
       select @resource, @script, @callback, @revision, coalesce(@newest_instance, settled_instance), @seq
       from resource where id = @resource and (@newest_instance is not null or revision = @revision)
       on conflict (resource, script, callback) do update set
         revision = excluded.revision, newest_instance = excluded.newest_instance, seq = excluded.seq
       where excluded.revision >= finished.revision`,
    )
    .run({ resource, script, callback, revision, newest_instance, seq })
}

function removedSince(
  session: Session,
  row: ResourceRow,
  { newest_instance, seq }: FinishedRow,
  until: number,
) {
  const { patient, member } = placeOf(session, row)
  const rows = session
    .sql(
      `select public_id, json_extract(event, '$.parents.series') as series, json_extract(event, '$.parents.study') as study
       from change where type = 11 and json_extract(event, '$.parents.patient') = ? and seq > ? and seq < ? and resource <= ?
       order by seq`,
    )
    .all(patient, seq, until, newest_instance) as { public_id: string; series: string; study: string }[]
  const gone = rows.filter((each) => member === null || each[member] === row.public_id)
  const series = [...new Set(gone.map((each) => each.series))].filter((id) => !isThere(session, id))
  return {
    seriesCount: series.length,
    instanceCount: gone.length,
    series: series.slice(0, listLimit),
    instances: gone.slice(0, listLimit).map(({ public_id }) => public_id),
  }
}

function placeOf(session: Session, row: ResourceRow): { patient: string; member: 'series' | 'study' | null } {
  const level = levelOf(row.level)
  let top = row
  while (top.parent !== null) top = resourceAt(session, top.parent)
  return {
    patient: top.public_id,
    member: level === 'Series' ? 'series' : level === 'Study' ? 'study' : null,
  }
}

function isThere(session: Session, series: string): boolean {
  return session.sql('select 1 from resource where level = 2 and public_id = ?').get(series) !== undefined
}
