/** Whether runs of what is paused are in hand still: here, and in the other servers that share the store. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Store } from '../store/store.ts'
import type { Dispatch } from './pump.ts'

/** How soon the others are looked at again. */
const againMs = 100

/** @returns what resolves when none is in hand any more of a script; null: of any script that is paused */
export function drainedBy(
  dispatch: Pick<Dispatch, 'drained'>,
  store: Pick<Store, 'cluster' | 'backlog' | 'scripts' | 'pausedAll'>,
): (script: string | null) => Promise<void> {
  const isInHand = async (script: string | null) => {
    const backlog = await store.backlog()
    const isMeant = await meantBy(store, script)
    return backlog.some((each) => each.leased > 0 && isMeant(each.script))
  }
  return async (script) => {
    await dispatch.drained(script)
    if (store.cluster === null) return
    while (await isInHand(script)) await wait(againMs)
  }
}

async function meantBy(
  store: Pick<Store, 'scripts' | 'pausedAll'>,
  script: string | null,
): Promise<(name: string) => boolean> {
  if (script !== null) return (name) => name === script
  if ((await store.pausedAll()) !== null) return () => true
  const paused = (await store.scripts()).filter(({ pausedAtMs }) => pausedAtMs !== null)
  return (name) => paused.some((each) => each.name === name)
}
