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

interface Waiting {
  readonly lease: Lease
  readonly settlement: Settlement
  resolve(): void
}

export function openSettling(store: Pick<Store, 'settle' | 'settleAll'>, log: Log): Settling {
  let waiting: Waiting[] = []
  const sending = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | null = null

  const flush = () => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (waiting.length === 0) return
    const sent: Promise<void> = send(waiting).finally(() => sending.delete(sent))
    waiting = []
    sending.add(sent)
  }

  const send = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const areOurs = await store.settleAll(batch.map(({ settlement }) => settlement))
      for (const [at, each] of batch.entries()) conclude(each, areOurs[at]!)
    } catch (error) {
      // One that cannot be settled must not take the others with it.
      if (batch.length > 1) await Promise.all(batch.map((each) => sendAlone(each)))
      else fail(batch[0]!, error)
    }
  }

  const sendAlone = async (each: Waiting): Promise<void> => {
    try {
      conclude(each, await store.settle(each.settlement))
    } catch (error) {
      fail(each, error)
    }
  }

  const conclude = ({ lease: { script, seq }, resolve }: Waiting, isOurs: boolean) => {
    if (!isOurs) log.warn({ script, seq }, 'A run ended after its lease was lost')
    resolve()
  }

  const fail = ({ lease: { script }, resolve }: Waiting, error: unknown) => {
    log.error({ script, reason: messageOf(error) }, 'A run could not be settled')
    resolve()
  }

  const settle = (lease: Lease, settlement: Settlement): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push({ lease, settlement, resolve })
    timer ??= setTimeout(flush, gatherMs)
    return promise
  }

  const settled = async () => void (await Promise.all(sending))

  const close = async () => {
    flush()
    await settled()
  }

  return { settle, flush, settled, close }
}
