/** A silence that was long enough, while the server was up, has had its stable event. */
import { arrivalOf, type History } from '../history.ts'
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
      for (const [index, { toMs }] of arrivals.entries()) {
        const next = arrivals[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY
        const longest = Math.max(0, ...history.lives.map((life) => overlap(life, toMs, next)))
        if (longest < history.stableAgeMs + patienceMs) continue
        // Deleted while it was unstable: it fires nothing.
        if (history.deletions.some(({ ids }) => ids[level] === id)) continue
        const isTold = fired.get(id)?.some(({ at }) => at > arrivals[index]!.fromMs && at < next)
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

function overlap(life: History['lives'][number], fromMs: number, toMs: number): number {
  const end = Math.min(life.endedAtMs ?? Date.now(), toMs)
  return end - Math.max(life.readyAtMs, fromMs)
}
