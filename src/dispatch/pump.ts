/**
 * Leases deliveries and hands them to their scripts: one run at a time per script, each script by itself.
 *
 *   idle ──wake──► lease ──deliveries──► serve (per script) ──all run──► lease again, with what to settle
 *                    └─nothing, a retry waits──► sleep until it is due
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Lease, Settlement, Store } from '../store/store.ts'
import { holdLeases, leaseMs } from './held-lease.ts'
import { serve } from './serve.ts'
import { openSettling } from './settling.ts'
import type { Tell } from './tell.ts'

/** Deliveries held at a time for one script. */
const heldPerScript = 64
/** Between two leases, so that under load each finds several deliveries. The first is never held up. */
const paceMs = 4

export interface DispatchParts {
  readonly store: Pick<Store, 'lease' | 'settle' | 'renew'>
  /** The scripts that can be served now. */
  readonly scriptNames: () => readonly string[]
  /** The version of a script that is in force. */
  readonly versionOf: (script: string) => string | null
  readonly tell: Tell
  readonly log: Log
}

export interface Dispatch extends AsyncDisposable {
  /** There may be something to deliver: a change was committed, or a script came into force. */
  wake(): void
  /** Ends when the runs in hand have ended; what was not begun is given back. */
  close(): Promise<void>
}

export function startDispatch({ store, scriptNames, versionOf, tell, log }: DispatchParts): Dispatch {
  const held = holdLeases(store, log)
  const settling = openSettling(store, log)
  const queues = new Map<string, Lease[]>()
  const serving = new Map<string, Promise<void>>()
  let pumping: Promise<void> | null = null
  let wanted = false
  let leasedAt = Number.NEGATIVE_INFINITY
  let paceTimer: NodeJS.Timeout | null = null
  let retryTimer: NodeJS.Timeout | null = null
  let closed = false

  const wake = () => {
    wanted = true
    if (pumping !== null || paceTimer !== null || closed) return
    const waitMs = leasedAt + paceMs - performance.now()
    if (waitMs <= 0) pump()
    else paceTimer = setTimeout(pump, waitMs)
  }

  const pump = () => {
    paceTimer = null
    wanted = false
    pumping = lease().finally(() => {
      pumping = null
      if (wanted) wake()
    })
  }

  const lease = async () => {
    leasedAt = performance.now()
    settling.flush()
    const capacity = Object.fromEntries(
      scriptNames().flatMap((name) => (queues.has(name) ? [] : [[name, heldPerScript]])),
    )
    if (Object.keys(capacity).length === 0) return
    try {
      const { leases, more, nextRetryInMs } = await store.lease(capacity, leaseMs)
      for (const each of leases) enqueue(each)
      if (more) wanted = true
      if (nextRetryInMs !== null) wakeIn(nextRetryInMs)
    } catch (error) {
      if (!closed) log.error({ reason: messageOf(error) }, 'Deliveries could not be leased; trying again')
      wakeIn(1_000)
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
      Promise.resolve().then(() => serveScript(lease.script)),
    )
  }

  const serveScript = async (script: string) => {
    await serve(queues.get(script)!, { tell, mayBegin, isLive: held.isLive, versionOf, giveBack, conclude })
    queues.delete(script)
    serving.delete(script)
    wake()
  }

  const mayBegin = (lease: Lease) => !closed && held.isLive(lease)

  const conclude = async (lease: Lease, settlement: Settlement): Promise<void> => {
    held.drop(lease)
    const settled = settling.settle(lease, settlement)
    if (settlement.keyValueWrites.length === 0) return
    // The next run of this script has to see what this one wrote to its memory.
    settling.flush()
    await settled
  }

  const giveBack = (lease: Lease) => {
    held.drop(lease)
    void settling.settle(lease, release(lease))
  }

  const close = async () => {
    closed = true
    if (retryTimer !== null) clearTimeout(retryTimer)
    if (paceTimer !== null) clearTimeout(paceTimer)
    await pumping
    await Promise.all(serving.values())
    await settling.close()
    held[Symbol.dispose]()
  }

  return { wake, close, [Symbol.asyncDispose]: close }
}

function release({ delivery, fence }: Lease): Settlement {
  return { delivery, fence, next: 'release', delayMs: 0, run: null, keyValueWrites: [] }
}
