/** Whether runs of what is paused are in hand still: here, and in the other servers that share the store. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Store } from '../store/store.ts'
import type { Pauses } from './pauses.ts'
import type { Dispatch } from './pump.ts'

/** How soon the others are looked at again. */
const againMs = 100

/** @returns what resolves when none is in hand any more of a script that is paused; null: of any that is */
export function drainedBy(
  dispatch: Pick<Dispatch, 'drained'>,
  store: Pick<Store, 'cluster' | 'backlog'>,
  { isPaused }: Pick<Pauses, 'isPaused'>,
): (script: string | null) => Promise<void> {
  const isInHand = async (script: string | null) =>
    (await store.backlog()).some(
      (each) => each.leased > 0 && (script === null || each.script === script) && isPaused(each.script),
    )
  return async (script) => {
    await dispatch.drained(script)
    if (store.cluster === null) return
    while (await isInHand(script)) await wait(againMs)
  }
}
