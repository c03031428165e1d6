/**
 * What is paused: single scripts, or all. The store remembers it, so that a restart lets nothing go on.
 */
import { fault } from '../errors.ts'
import type { ScriptState, Store } from '../store/store.ts'

export interface Pauses {
  /** Whether the runs of a script wait, by itself or with all. */
  isPaused(script: string): boolean
  /** Since when all wait; null: they do not. */
  allSinceMs(): number | null
  /**
   * Null: all scripts. False: it was paused already.
   * @throws `bad-request` for one that was never in force, to which nothing is owed
   */
  pause(script: string | null): Promise<boolean>
  /** False: it was not paused. */
  unpause(script: string | null): Promise<boolean>
  /**
   * What another server that shares the store has paused, or let go on.
   * @param askedAt when the store was asked, of `performance.now()`
   */
  agree(
    scripts: readonly Pick<ScriptState, 'name' | 'pausedAtMs'>[],
    allSinceMs: number | null,
    askedAt: number,
  ): void
}

type PauseStore = Pick<Store, 'scripts' | 'pause' | 'unpause' | 'pausedAll'>

/** @param onChange something may be begun, or may no longer */
export async function openPauses(store: PauseStore, onChange: () => void): Promise<Pauses> {
  let paused = pausedAmong(await store.scripts())
  let allSinceMs = await store.pausedAll()
  let wroteAt = Number.NEGATIVE_INFINITY
  const changed = () => {
    wroteAt = performance.now()
    onChange()
  }
  const read = async () => {
    allSinceMs = await store.pausedAll()
  }
  return {
    isPaused: (script) => allSinceMs !== null || paused.has(script),
    allSinceMs: () => allSinceMs,
    async pause(script) {
      if (script === null ? allSinceMs !== null : paused.has(script)) return false
      if (!(await store.pause(script))) throw neverInForce(script)
      if (script === null) await read()
      else paused.add(script)
      changed()
      return true
    },
    async unpause(script) {
      if (script === null ? allSinceMs === null : !paused.has(script)) return false
      await store.unpause(script)
      if (script === null) await read()
      else paused.delete(script)
      changed()
      return true
    },
    agree(scripts, all, askedAt) {
      const now = pausedAmong(scripts)
      const isSame = now.size === paused.size && [...now].every((name) => paused.has(name))
      if (askedAt < wroteAt || (all === allSinceMs && isSame)) return
      paused = now
      allSinceMs = all
      onChange()
    },
  }
}

const neverInForce = (script: string | null) =>
  fault('bad-request', `"${script}" was never in force: it is owed nothing that could wait. Mend it first`)

function pausedAmong(scripts: readonly Pick<ScriptState, 'name' | 'pausedAtMs'>[]): Set<string> {
  return new Set(scripts.filter(({ pausedAtMs }) => pausedAtMs !== null).map(({ name }) => name))
}
