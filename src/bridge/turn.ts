/**
 * Whose turn it is: one of the servers that share a store publishes the log and reads the queue. It is agreed through
 * the store, since not every queue of a broker can be had by one reader alone.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { unlessAborted } from '../lib/unless-aborted.ts'
import type { RelayTurn, Store } from '../store/store.ts'

export interface Held extends Pick<RelayTurn, 'fence'> {
  /** Aborted when it is over, or has to be given back. */
  readonly over: AbortSignal
}

export interface Turn extends AsyncDisposable {
  isHeld(): boolean
  /** Runs something when it is this server's turn. The turn is given to another only when that has ended. */
  during(signal: AbortSignal, run: (held: Held) => Promise<void>): Promise<void>
  /** The cursor was moved: the turn begins anew from there. */
  refresh(): void
}

export interface TurnParts {
  readonly store: Pick<Store, 'takeRelay' | 'releaseRelay'>
  /** Whether this server can do what the turn is for. */
  isAble(): boolean
}

/** How long a server that is gone keeps the others from it: longer than a broker keeps what was in its hand. */
const turnMs = 20_000
/** Over for the one that has it, if it cannot renew it, that much before others may take it. */
const marginMs = 5_000
const renewMs = 1_000

/** The store knows from now on how far the log was published, whether a broker is there or not. */
export async function openTurn({ store, isAble }: TurnParts): Promise<Turn> {
  const closing = new AbortController()
  const users = new Set<Promise<unknown>>()
  let held: (Held & { readonly end: () => void; timer: NodeJS.Timeout }) | null = null
  let begun = Promise.withResolvers<Held>()
  let hurry = () => {}

  const end = () => {
    if (held === null) return
    clearTimeout(held.timer)
    held.end()
    held = null
    begun = Promise.withResolvers<Held>()
  }
  /** @param askedAt of `performance.now()`: others may count from then on */
  const hold = (turn: RelayTurn, askedAt: number) => {
    if (held !== null && held.fence !== turn.fence) end()
    const timer = setTimeout(end, turnMs - marginMs - (performance.now() - askedAt))
    if (held !== null) {
      clearTimeout(held.timer)
      held.timer = timer
      return
    }
    const over = new AbortController()
    held = { fence: turn.fence, over: over.signal, end: () => over.abort(), timer }
    begun.resolve(held)
  }
  const giveBack = async () => {
    if (held === null) return
    end()
    await Promise.allSettled(users)
    await store.releaseRelay()
  }
  const look = async () => {
    if (!isAble()) return giveBack()
    const askedAt = performance.now()
    const turn = await store.takeRelay(turnMs)
    if (turn === null) end()
    else hold(turn, askedAt)
  }
  await store.takeRelay(turnMs)
  await store.releaseRelay()
  const running = (async () => {
    while (!closing.signal.aborted) {
      // A store that is away ends the turn by its time.
      await look().catch(() => {})
      const hurried = Promise.withResolvers<void>()
      const timer = setTimeout(hurried.resolve, renewMs)
      hurry = hurried.resolve
      await unlessAborted(hurried.promise, closing.signal).catch(() => {})
      clearTimeout(timer)
    }
  })()
  return {
    isHeld: () => held !== null,
    async during(signal, run) {
      const turn = await unlessAborted(begun.promise, signal)
      const using = run(turn)
      users.add(using)
      await using.finally(() => users.delete(using))
    },
    refresh: () => hurry(),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
      await Promise.race([giveBack().catch(() => {}), wait(marginMs, undefined, { ref: false })])
    },
  }
}
