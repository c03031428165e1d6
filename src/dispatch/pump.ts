/**
 * Leases deliveries and hands them to their scripts: one run at a time per script, each script by itself.
 *
 *   idle ──wake──► lease ──deliveries──► serve (per script) ──settled──► lease again
 *                    └─nothing, a retry waits──► sleep until it is due
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Lease, Settlement, Store } from '../store/store.ts'
import { holdLeases, leaseMs } from './held-lease.ts'
import type { Tell } from './tell.ts'

/** Deliveries held at a time for one script. */
const heldPerScript = 64

export interface DispatchParts {
  readonly store: Pick<Store, 'lease' | 'settle' | 'renew'>
  /** The scripts that can be served now. */
  readonly scriptNames: () => readonly string[]
  readonly tell: Tell
  readonly log: Log
}

export interface Dispatch extends AsyncDisposable {
  /** There may be something to deliver: a change was committed, or a script came into force. */
  wake(): void
  /** Ends when the runs in hand have ended; what was not begun is given back. */
  close(): Promise<void>
}

export function startDispatch({ store, scriptNames, tell, log }: DispatchParts): Dispatch {
  const held = holdLeases(store, log)
  const queues = new Map<string, Lease[]>()
  const serving = new Map<string, Promise<void>>()
  const settling = new Set<Promise<unknown>>()
  let pumping: Promise<void> | null = null
  let wanted = false
  let retryTimer: NodeJS.Timeout | null = null
  let closed = false

  const wake = () => {
    wanted = true
    if (pumping === null && !closed) {
      pumping = pump().finally(() => {
        pumping = null
        if (wanted) wake()
      })
    }
  }

  const pump = async () => {
    while (wanted && !closed) {
      wanted = false
      const capacity = Object.fromEntries(
        scriptNames().flatMap((name) => (queues.has(name) ? [] : [[name, heldPerScript]])),
      )
      if (Object.keys(capacity).length === 0) return
      try {
        const { leases, more, nextRetryInMs } = await store.lease(capacity, leaseMs)
        for (const lease of leases) enqueue(lease)
        if (more) wanted = true
        if (nextRetryInMs !== null) wakeIn(nextRetryInMs)
      } catch (error) {
        if (!closed) log.error({ reason: messageOf(error) }, 'Deliveries could not be leased; trying again')
        wakeIn(1_000)
      }
    }
  }

  const wakeIn = (ms: number) => {
    if (closed) return
    if (retryTimer !== null) clearTimeout(retryTimer)
    retryTimer = setTimeout(wake, ms)
  }

  const enqueue = (lease: Lease) => {
    held.hold(lease)
    const queue = queues.get(lease.script)
    if (queue !== undefined) return void queue.push(lease)
    queues.set(lease.script, [lease])
    // Serving starts once the whole report is queued.
    serving.set(
      lease.script,
      Promise.resolve().then(() => serve(lease.script)),
    )
  }

  const serve = async (script: string) => {
    const queue = queues.get(script)!
    for (let lease = queue.shift(); lease !== undefined; lease = queue.shift()) {
      const current = lease
      if (closed || !held.isLive(current)) {
        settle(current, release(current))
        continue
      }
      const settlement = await tell(current, () => held.isLive(current))
      const settled = settle(current, settlement)
      if (settlement.next !== 'done') giveBack(queue, current.key, settlement)
      // The next run of this script has to see what this one wrote to its memory.
      if (settlement.keyValueWrites.length > 0) await settled
    }
    queues.delete(script)
    serving.delete(script)
    wake()
  }

  /** What waits behind a delivery that has not ended has to wait in the store. */
  const giveBack = (queue: Lease[], key: string, { next }: Settlement) => {
    if (next === 'dead') return
    const behind = queue.filter((lease) => lease.key === key)
    for (const lease of behind) {
      queue.splice(queue.indexOf(lease), 1)
      settle(lease, release(lease))
    }
  }

  const settle = (lease: Lease, settlement: Settlement): Promise<unknown> => {
    held.drop(lease)
    const settled = store
      .settle(settlement)
      .then((ours) => {
        if (!ours) log.warn({ script: lease.script, seq: lease.seq }, 'A run ended after its lease was lost')
      })
      .catch((error: unknown) =>
        log.error({ script: lease.script, reason: messageOf(error) }, 'A run could not be settled'),
      )
      .finally(() => settling.delete(settled))
    settling.add(settled)
    return settled
  }

  const close = async () => {
    closed = true
    if (retryTimer !== null) clearTimeout(retryTimer)
    await pumping
    await Promise.all(serving.values())
    await Promise.all(settling)
    held[Symbol.dispose]()
  }

  return { wake, close, [Symbol.asyncDispose]: close }
}

function release({ delivery, fence }: Lease): Settlement {
  return { delivery, fence, next: 'release', delayMs: 0, run: null, keyValueWrites: [] }
}
