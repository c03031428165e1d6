/**
 * What is paused: single scripts, or all. The store remembers it, so that a restart lets nothing go on.
 */
import type { Store } from '../store/store.ts'

export interface Pauses {
  /** Whether the runs of a script wait, by itself or with all. */
  isPaused(script: string): boolean
  /** Since when all wait; null: they do not. */
  allSinceMs(): number | null
  /** Null: all scripts. False: it was paused already. */
  pause(script: string | null): Promise<boolean>
  /** False: it was not paused. */
  unpause(script: string | null): Promise<boolean>
}

type PauseStore = Pick<Store, 'scripts' | 'pause' | 'unpause' | 'pausedAll'>

/** @param onChange something may be begun, or may no longer */
export async function openPauses(store: PauseStore, onChange: () => void): Promise<Pauses> {
  const paused = new Set(
    (await store.scripts()).filter(({ pausedAtMs }) => pausedAtMs !== null).map(({ name }) => name),
  )
  let allSinceMs = await store.pausedAll()
  const read = async () => {
    allSinceMs = await store.pausedAll()
  }
  return {
    isPaused: (script) => allSinceMs !== null || paused.has(script),
    allSinceMs: () => allSinceMs,
    async pause(script) {
      if (script === null ? allSinceMs !== null : paused.has(script)) return false
      await store.pause(script)
      if (script === null) await read()
      else paused.add(script)
      onChange()
      return true
    },
    async unpause(script) {
      if (script === null ? allSinceMs === null : !paused.has(script)) return false
      await store.unpause(script)
      if (script === null) await read()
      else paused.delete(script)
      onChange()
      return true
    },
  }
}
