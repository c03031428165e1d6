/**
 * The log tells once of everything that came and of everything that was deleted, at its time and under its key,
 * and of nothing else. Nothing is sent again after its deletion.
 */
import { familyOf, keyOf, levelOfType } from '../family.ts'
import { arrivalOf, type History, isAcknowledged } from '../history.ts'
import type { Observation } from '../observe.ts'
import type { ChangeRow } from '../observe-database.ts'

/** How far the client's clock and the store's may be apart. */
const toleranceMs = 50
/** Over DICOM the answer comes first; the rows follow at once, unless the server is made to stand still. */
const mostBehindAnswerMs = 5_000

export function checkNews(history: History, { database: { changes } }: Observation): string[] {
  const violations: string[] = []
  const counts = new Map<string, number>()
  const deleted = new Set<string>()
  const family = familyOf(history)
  for (const { seq, type, id, key } of changes) {
    const member = family.get(id)
    if (member === undefined) violations.push(`Change ${seq}, ${type}, is about what was never sent`)
    else if (levelOfType(type) !== member.level || !/^(New|Stable|Deleted)/.test(type))
      violations.push(`Change ${seq}, ${type}, is of a type that nothing here makes`)
    else if (key !== keyOf(member)) violations.push(`Change ${seq}, ${type}, has the key of another resource`)
    if (deleted.has(id)) violations.push(`Change ${seq}, ${type}, is about what was deleted before`)
    if (type.startsWith('Deleted')) deleted.add(id)
    counts.set(`${type} ${id}`, (counts.get(`${type} ${id}`) ?? 0) + 1)
  }
  const acknowledged = history.uploads.filter(isAcknowledged)
  const arrived = acknowledged.flatMap(({ ids }) =>
    Object.entries(ids).map(([level, id]) => `New${level} ${id}`),
  )
  const gone = goneIds(history).map((id) => `Deleted${family.get(id)!.level} ${id}`)
  for (const name of new Set([...arrived, ...gone]))
    if (!counts.has(name)) violations.push(`The log has no ${name}`)
  for (const [name, count] of counts)
    if (count > 1 && !name.startsWith('Stable')) violations.push(`The log has ${name} ${count} times`)
  const mayBeGone = new Set(goneIds({ ...history, deletions: history.deletions.map(asAcknowledged) }))
  for (const id of deleted)
    if (!mayBeGone.has(id)) violations.push(`${id} was deleted and nobody asked for it`)
  return [...violations, ...checkTimes(history, changes)]
}

/** All that goes with the studies that were deleted for certain: patients when nothing is left of them. */
function goneIds({ uploads, deletions }: Pick<History, 'uploads' | 'deletions'>): string[] {
  const studies = new Set(deletions.filter(isAcknowledged).map(({ ids }) => ids.Study))
  const came = uploads.filter(isAcknowledged).map(({ ids }) => ids)
  const staying = new Set(came.filter(({ Study }) => !studies.has(Study)).map(({ Patient }) => Patient))
  const below = came.filter(({ Study }) => studies.has(Study))
  return [...new Set(below.flatMap((ids) => Object.values(ids)))].filter((id) => !staying.has(id))
}

function asAcknowledged(deletion: History['deletions'][number]): History['deletions'][number] {
  return { ...deletion, attempts: [...deletion.attempts, { sentAtMs: 0, endedAtMs: 0, answer: 'perhaps' }] }
}

/** An instance is recorded while its sender waits for the answer, over DICOM soon after; not before. */
function checkTimes({ uploads }: History, changes: readonly ChangeRow[]): string[] {
  const recordedAt = new Map(
    changes.filter(({ type }) => type === 'NewInstance').map(({ id, at }) => [id, at]),
  )
  const deletionTimes = deletionTimesOf(changes)
  return uploads.flatMap((upload) => {
    const arrival = arrivalOf(upload)
    const at = recordedAt.get(upload.ids.Instance)
    if (arrival === null || at === undefined) return []
    const isSoonAfter = upload.road === 'dicom' || deletionTimes.has(at)
    const mostBehindMs = isSoonAfter ? mostBehindAnswerMs : toleranceMs
    const isWithin = at >= arrival.fromMs - toleranceMs && at <= arrival.toMs + mostBehindMs
    return isWithin ? [] : [`Instance ${upload.ids.Instance} was recorded when nobody waited for it`]
  })
}

/**
 * The log never goes back: what was answered while a deletion was on its way, and has its rows after it, is recorded at
 * the time of the deletion. Of a stable event that would not do: it would have come after the instance.
 */
function deletionTimesOf(changes: readonly ChangeRow[]): Set<number> {
  const firstAt = new Map<number, string>()
  for (const { at, type } of changes) if (!firstAt.has(at)) firstAt.set(at, type)
  return new Set([...firstAt].flatMap(([at, type]) => (type.startsWith('Deleted') ? [at] : [])))
}
