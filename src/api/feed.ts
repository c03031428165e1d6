/**
 * What happens, as it happens: changes, runs and states of scripts, in the order of the log and of the runs. It is read
 * from the store, so that nothing is lost between two looks, and a reader can go on where it ended.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { orthancChange } from '../dicom/dicom.ts'
import { everyChange, type RunsQuery, type Store } from '../store/store.ts'
import type { ApiParts } from './api.ts'
import { formatRun } from './format-run.ts'

export const feedKinds = ['change', 'run', 'script'] as const
export type FeedKind = (typeof feedKinds)[number]

/** How far a reader has read: numbers of a change and of a run. */
export interface FeedPosition {
  readonly seq: number
  readonly run: number
}

export interface FeedItem {
  readonly kind: FeedKind
  /** After it. */
  readonly position: FeedPosition
  readonly value: unknown
}

export interface FeedOptions {
  readonly kinds: ReadonlySet<FeedKind>
  readonly from: FeedPosition
  readonly runs: Pick<RunsQuery, 'script' | 'callback' | 'outcomes'>
  readonly signal: AbortSignal
}

const lookMs = 200
const atATime = 500

/** Endless until the signal; an empty list says that nothing happened for a moment. */
export async function* feed(
  { store, scripts }: Pick<ApiParts, 'scripts'> & { store: Pick<Store, 'changes' | 'runs'> },
  { kinds, from, runs, signal }: FeedOptions,
): AsyncGenerator<readonly FeedItem[]> {
  let position = from
  const states = new Map<string, string>()
  const movedTo = (next: Partial<FeedPosition>) => {
    position = { ...position, ...next }
    return position
  }

  const newChanges = async (): Promise<FeedItem[]> => {
    const { changes } = await store.changes({ since: position.seq, limit: atATime, types: everyChange })
    return changes.map((change) => ({
      kind: 'change',
      position: movedTo({ seq: change.seq }),
      value: orthancChange(change),
    }))
  }
  const newRuns = async (): Promise<FeedItem[]> => {
    // So far everything is seen when nothing of it matches: the next look need not go over it again.
    const [latest] = await store.runs({ limit: 1 })
    if (latest === undefined || latest.id <= position.run) return []
    const found = await store.runs({ ...runs, after: position.run, limit: atATime })
    if (found.length === 0) movedTo({ run: latest.id })
    return found.map((run) => ({ kind: 'run', position: movedTo({ run: run.id }), value: formatRun(run) }))
  }
  const newStates = (): FeedItem[] =>
    scripts().flatMap((script) => {
      const state = JSON.stringify(script)
      if (states.get(script.name) === state) return []
      states.set(script.name, state)
      return [{ kind: 'script' as const, position, value: script }]
    })

  while (!signal.aborted) {
    // Whoever goes on behind one of these has not read the changes and runs that come with it.
    const changed = kinds.has('script') ? newStates() : []
    const changes = kinds.has('change') ? await newChanges() : []
    const ended = kinds.has('run') ? await newRuns() : []
    yield [...changed, ...changes, ...ended]
    if (changes.length === atATime || ended.length === atATime) continue
    await wait(lookMs, undefined, { signal }).catch(() => {})
  }
}

/** Where to begin. @param asked null: from now on; so it is for a place that this database has not come to, too */
export async function startOf(
  store: Pick<Store, 'changes' | 'runs'>,
  asked: FeedPosition | null,
): Promise<FeedPosition> {
  const { last } = await store.changes({ last: true, limit: 1, types: everyChange })
  const [run] = await store.runs({ limit: 1 })
  const newest = { seq: last, run: run?.id ?? 0 }
  if (asked === null || asked.seq > newest.seq) return newest
  // The newest runs may have been retired.
  return { seq: asked.seq, run: Math.min(asked.run, newest.run) }
}
