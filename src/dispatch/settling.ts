/**
 * Settlements on their way to the store: those of a few milliseconds go together, into one transaction. What the
 * store cannot take, because its disk is full or its server away, is kept and said again until it can.
 */
import { messageOf, OnStableError } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Lease, nothingRan, type RunRecord, type Settlement, type Store } from '../store/store.ts'

/** How long a settlement may wait for others; until then a crash only makes its run happen again. */
const gatherMs = 4
const firstRetryMs = 100
const lastRetryMs = 5_000

export interface Settling {
  /** Resolves when the settlement has been committed, when its lease is lost, or when it was given up at the end. */
  settle(lease: Lease, settlement: Settlement): Promise<void>
  /** Some are kept: what comes after them waits, too. */
  readonly isStuck: boolean
  /** Sends what waits now. */
  flush(): void
  /** Resolves when all that was to be settled so far has been. */
  settled(): Promise<void>
  /** Sends what waits, once, and resolves when all has been answered. */
  close(): Promise<void>
}

export interface SettlingParts {
  readonly store: Pick<Store, 'settle' | 'settleAll'>
  readonly log: Log
  /** What was kept is settled. */
  readonly onFlowing: () => void
}

interface Waiting {
  readonly lease: Lease
  readonly settlement: Settlement
  resolve(): void
}

export function openSettling({ store, log, onFlowing }: SettlingParts): Settling {
  let waiting: Waiting[] = []
  let kept: Waiting[] = []
  const unanswered = new Set<Promise<void>>()
  const sending = new Set<Promise<void>>()
  let gatherTimer: NodeJS.Timeout | null = null
  let retryTimer: NodeJS.Timeout | null = null
  let retryMs = firstRetryMs
  let isStuck = false
  let isClosing = false

  const settle = (lease: Lease, settlement: Settlement): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    unanswered.add(promise)
    promise.finally(() => unanswered.delete(promise))
    waiting.push({ lease, settlement, resolve })
    gatherTimer ??= setTimeout(flush, gatherMs)
    return promise
  }

  const flush = () => {
    if (gatherTimer !== null) clearTimeout(gatherTimer)
    gatherTimer = null
    // Else it goes with what is kept.
    if (!isStuck) sendNow()
  }

  const sendNow = (): void => {
    const batch = [...kept, ...waiting]
    kept = []
    waiting = []
    if (batch.length === 0) return
    const sent: Promise<void> = send(batch).finally(() => sending.delete(sent))
    sending.add(sent)
  }

  const send = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const areOurs = await store.settleAll(batch.map(({ settlement }) => settlement))
      for (const [at, each] of batch.entries()) conclude(each, areOurs[at]!)
    } catch (error) {
      if (isForNow(error)) keep(batch, error)
      // One that cannot be settled must not take the others with it.
      else for (const each of batch) await sendAlone(each)
    }
  }

  const sendAlone = async (each: Waiting): Promise<void> => {
    try {
      conclude(each, await store.settle(each.settlement))
    } catch (error) {
      if (isForNow(error)) keep([each], error)
      else await setAside(each, error)
    }
  }

  const conclude = ({ lease: { script, seq }, resolve }: Waiting, isOurs: boolean) => {
    if (!isOurs) log.warn({ script, seq }, 'A run ended after its lease was lost')
    resolve()
  }

  const keep = (batch: readonly Waiting[], error: unknown) => {
    kept.push(...batch)
    if (!isStuck) log.error({ reason: messageOf(error) }, 'Runs cannot be settled; trying again')
    isStuck = true
    if (!isClosing) retryTimer ??= setTimeout(retry, retryMs)
  }

  const retry = async () => {
    retryTimer = null
    retryMs = Math.min(retryMs * 2, lastRetryMs)
    sendNow()
    await Promise.all(sending)
    if (kept.length > 0 || sending.size > 0 || isClosing) return
    isStuck = false
    retryMs = firstRetryMs
    log.info('Runs are settled again')
    flush()
    onFlowing()
  }

  /**
   * What cannot be stored at all, twice in a row and while the store works, is no reason to run it again, nor to hold up
   * what comes after it.
   */
  const setAside = async (each: Waiting, cause: unknown): Promise<void> => {
    const { lease, settlement, resolve } = each
    const facts = { script: lease.script, reason: messageOf(cause) }
    try {
      await store.settleAll([])
      if (settlement.run === null) {
        log.error(facts, 'A delivery could not be given back: its lease has to run out')
        return resolve()
      }
      const isOurs = await store.settle(asFailed(lease, settlement, settlement.run, facts.reason))
      log.error(facts, 'A run could not be settled: it is set aside')
      conclude(each, isOurs)
    } catch {
      keep([each], cause)
    }
  }

  const settled = async () => void (await Promise.all(unanswered))

  const close = async () => {
    isClosing = true
    if (gatherTimer !== null) clearTimeout(gatherTimer)
    if (retryTimer !== null) clearTimeout(retryTimer)
    await Promise.all(sending)
    sendNow()
    await Promise.all(sending)
    for (const { lease, resolve } of kept) {
      log.warn({ script: lease.script }, 'A run could not be settled: it is told anew after the next start')
      resolve()
    }
  }

  return {
    settle,
    flush,
    settled,
    close,
    get isStuck() {
      return isStuck
    },
  }
}

/** Whether it may work later as it is. */
const isForNow = (error: unknown) =>
  error instanceof OnStableError && (error.code === 'storage-full' || error.code === 'store-away')

function asFailed(
  { resource }: Lease,
  settlement: Settlement,
  { version }: RunRecord,
  why: string,
): Settlement {
  const reason = JSON.stringify({ message: `What the run left could not be stored: ${why}` })
  return {
    ...settlement,
    // The next heartbeat comes anyway.
    next: resource === null ? 'done' : 'dead',
    run: { ...nothingRan, version, outcome: 'threw', reason, event: null },
    keyValueWrites: [],
  }
}

/** One that is not begun here. */
export function release({ delivery, fence }: Lease): Settlement {
  return { delivery, fence, next: 'release', delayMs: 0, run: null, keyValueWrites: [] }
}
