/** A silence that was long enough, while the server was up, has had its stable event. */
import { arrivalOf, type History, quietMsOf, type Upload, upSpansOf } from '../history.ts'
import type { LevelName } from '../identifiers.ts'
import type { Observation } from '../observe.ts'

/** How late an event may be on a busy machine before it counts as missed. */
const patienceMs = 3_000

export function checkMissedSilence(history: History, { database }: Observation): string[] {
  const violations: string[] = []
  for (const level of ['Patient', 'Study', 'Series'] as const) {
    const fired = Map.groupBy(
      database.changes.filter(({ type }) => type === `Stable${level}`),
      ({ id }) => id,
    )
    for (const [id, arrivals] of arrivalsOf(history, level)) {
      const deletedAtMs = deletionOf(history, level, id)
      for (const [index, { fromMs, toMs }] of arrivals.entries()) {
        const next = Math.min(arrivals[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY, deletedAtMs)
        const longest = Math.max(0, ...upSpansOf(history).map((span) => overlap(span, toMs, next)))
        if (longest < quietMsOf(history.agesMs, level) + patienceMs) continue
        const isTold = fired.get(id)?.some(({ at }) => at > fromMs && at < next)
        if (!isTold)
          violations.push(`${level} ${id} was quiet for ${longest} ms and no stable event was made`)
      }
    }
  }
  return violations
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** When something surely or perhaps arrived, by resource; spans that touch are one. */
function arrivalsOf({ uploads }: History, level: LevelName): Map<string, Span[]> {
  const all = uploads.flatMap((upload) => {
    const arrival = arrivalOf(upload)
    return arrival === null ? [] : [{ id: upload.ids[level], ...arrival }]
  })
  const spans = new Map<string, { fromMs: number; toMs: number }[]>()
  for (const { id, fromMs, toMs } of all.sort((left, right) => left.fromMs - right.fromMs)) {
    const known = spans.get(id) ?? []
    const last = known.at(-1)
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs)
    else known.push({ fromMs, toMs })
    spans.set(id, known)
  }
  return spans
}

/** From when on nothing of a resource may be left; infinity if something of it stays. */
function deletionOf({ uploads, deletions }: History, level: LevelName, id: string): number {
  const sentAtMs = new Map(deletions.map(({ ids, attempts }) => [ids.Study, attempts[0]?.sentAtMs]))
  const goneAt = ({ ids }: Upload) => sentAtMs.get(ids.Study) ?? Number.POSITIVE_INFINITY
  return Math.max(...uploads.filter(({ ids }) => ids[level] === id).map(goneAt))
}

function overlap(span: Span, fromMs: number, toMs: number): number {
  return Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs)
}
