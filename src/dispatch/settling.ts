/**
 * Settlements on their way to the store: those of a few milliseconds go together, into one transaction.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Lease, Settlement, Store } from '../store/store.ts'

/** How long a settlement may wait for others; until then a crash only makes its run happen again. */
const gatherMs = 4

export interface Settling {
  /** Resolves when the settlement has been committed or has failed, which is logged. */
  settle(lease: Lease, settlement: Settlement): Promise<void>
  /** Sends what waits now. */
  flush(): void
  /** Resolves when all that was sent so far has been answered. */
  settled(): Promise<void>
  /** Sends what waits, and resolves when all has been answered. */
  close(): Promise<void>
}

export function openSettling(store: Pick<Store, 'settle'>, log: Log): Settling {
  let waiting: (() => void)[] = []
  const settling = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | null = null

  const flush = () => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const sends = waiting
    waiting = []
    for (const send of sends) send()
  }

  const send = async ({ script, seq }: Lease, settlement: Settlement): Promise<void> => {
    try {
      const isOurs = await store.settle(settlement)
      if (!isOurs) log.warn({ script, seq }, 'A run ended after its lease was lost')
    } catch (error) {
      log.error({ script, reason: messageOf(error) }, 'A run could not be settled')
    }
  }

  const settle = (lease: Lease, settlement: Settlement): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push(() => void send(lease, settlement).then(resolve))
    timer ??= setTimeout(flush, gatherMs)
    settling.add(promise)
    promise.finally(() => settling.delete(promise))
    return promise
  }

  const settled = async () => void (await Promise.all(settling))

  const close = async () => {
    flush()
    await settled()
  }

  return { settle, flush, settled, close }
}
