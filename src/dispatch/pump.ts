/**
 * Leases deliveries and hands them to their scripts, each of which is served by itself: one run at a time, or as
 * many as it asks for.
 *
 *   idle ──wake──► lease ──deliveries──► serve (per slot) ──all run──► lease again, with what to settle
 *                    └─nothing, a retry waits──► sleep until it is due
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Lease, type Settlement, type Store, stoppedRun } from '../store/store.ts'
import { holdLeases, leaseMs } from './held-lease.ts'
import { openServing } from './serving.ts'
import { openSettling, release } from './settling.ts'
import type { Tell } from './tell.ts'

/** Deliveries held at a time for one script. */
const heldPerScript = 64
/** Between two leases, so that under load each finds several deliveries. The first is never held up. */
const paceMs = 4
/** A timer of Node that is to run for more than 24 days runs at once. */
const longestSleepMs = 86_400_000
const usualStopMs = 10_000

export interface DispatchParts {
  readonly store: Pick<Store, 'lease' | 'settle' | 'settleAll' | 'renew'>
  /** The scripts that can be served now. */
  readonly scriptNames: () => readonly string[]
  /** The version of a script that is in force. */
  readonly versionOf: (script: string) => string | null
  /** How many runs a script may have at a time. */
  readonly concurrencyOf: (script: string) => number
  /** Whether nothing of a script may be begun. */
  readonly isPaused: (script: string) => boolean
  readonly tell: Tell
  /** What was handed over ahead to a script, and has not begun, is not to begin. */
  readonly recall: (script: string) => void
  readonly log: Log
  /** How long an end waits for the runs in hand. Default: 10 s. */
  readonly stopMs?: number
}

export interface Dispatch extends AsyncDisposable {
  /** There may be something to deliver: a change was committed. */
  wake(): void
  /** Another version of a script is in force, or none: what was not begun is told by what the store says now. */
  onSwap(script: string): void
  /** Other scripts are paused than before. */
  onPause(): void
  /** Resolves when no run is in hand any more of a script that is paused; null: of none that is. */
  drained(script: string | null): Promise<void>
  /**
   * Ends when the runs in hand have ended, or after a while: those that have not are told anew by the next start, and
   * that attempt does not count. What was not begun is given back.
   */
  close(): Promise<void>
}

export function startDispatch(parts: DispatchParts): Dispatch {
  const { store, scriptNames, versionOf, concurrencyOf, isPaused, tell, recall, log } = parts
  const held = holdLeases(store, log)
  const settling = openSettling({ store, log, onFlowing: () => afterFailure() })
  let pumping: Promise<void> | null = null
  /** From when on another lease is wanted; infinity: none is. */
  let wantedAt = Number.POSITIVE_INFINITY
  let leasedAt = Number.NEGATIVE_INFINITY
  /** Of the last one that found something. */
  let foundAt = Number.NEGATIVE_INFINITY
  let paceTimer: NodeJS.Timeout | null = null
  let retryTimer: NodeJS.Timeout | null = null
  let closed = false
  /** Nothing is settled any more. */
  let abandoned = false
  /** Leases whose runs are at work, or may be, and since when, of `performance.now()`. */
  const atWork = new Map<Lease, number>()

  /** Something new is never held up by a lease that found nothing. */
  const wake = () => want(foundAt + paceMs)
  /** A slot has nothing more: what waited for it may be there, or nothing. */
  const wakeForSlot = () => want(leasedAt + paceMs)

  const afterFailure = () => {
    held.doubt()
    wake()
  }

  const want = (at: number) => {
    if (at >= wantedAt) return
    wantedAt = at
    if (pumping === null && !closed) pumpWhenWanted()
  }

  const pumpWhenWanted = () => {
    if (paceTimer !== null) clearTimeout(paceTimer)
    paceTimer = null
    const waitMs = wantedAt - performance.now()
    if (waitMs <= 0) pump()
    else paceTimer = setTimeout(pump, waitMs)
  }

  const pump = () => {
    paceTimer = null
    wantedAt = Number.POSITIVE_INFINITY
    pumping = lease().finally(() => {
      pumping = null
      if (wantedAt < Number.POSITIVE_INFINITY && !closed) pumpWhenWanted()
    })
  }

  const lease = async () => {
    leasedAt = performance.now()
    settling.flush()
    // It would be as little use, and what is kept has to be settled before its lease is over.
    if (settling.isStuck) return
    const capacity = Object.fromEntries(
      scriptNames()
        .filter((name) => !isPaused(name) && serving.hasFreeSlot(name))
        .map((name) => [name, heldPerScript]),
    )
    if (Object.keys(capacity).length === 0) return
    try {
      // Those that ran out meanwhile would be handed out again, beside their runs.
      if (!(await held.areSure())) return wakeIn(1_000)
      const { leases, more, nextRetryInMs } = await store.lease(capacity, leaseMs)
      for (const each of leases) {
        held.hold(each)
        serving.add(each)
      }
      for (const script of new Set(leases.map((each) => each.script))) serving.start(script)
      if (leases.length > 0) foundAt = leasedAt
      if (more) wake()
      if (nextRetryInMs !== null) wakeIn(nextRetryInMs)
    } catch (error) {
      held.doubt()
      if (!closed) log.error({ reason: messageOf(error) }, 'Deliveries could not be leased; trying again')
      wakeIn(1_000)
    }
  }

  const wakeIn = (ms: number) => {
    if (closed) return
    if (retryTimer !== null) clearTimeout(retryTimer)
    retryTimer = setTimeout(wake, Math.min(ms, longestSleepMs))
  }

  const mayBegin = (lease: Lease) =>
    !closed && !isPaused(lease.script) && held.isLive(lease) && !held.isOutdated(lease)

  const onSwap = (script: string) => {
    held.outdate(script)
    recall(script)
    wake()
  }

  const onPause = () => {
    for (const script of serving.scripts()) if (isPaused(script)) recall(script)
    wake()
  }

  const versionFor = ({ script, version }: Lease) => version ?? versionOf(script)

  const conclude = async (lease: Lease, settlement: Settlement): Promise<void> => {
    if (abandoned) return
    const settled = settle(lease, settlement)
    if (settlement.keyValueWrites.length === 0 && !settling.isStuck) return
    // The next run of this script has to see what this one wrote to its memory.
    settling.flush()
    await settled
  }

  const giveBack = (lease: Lease) => {
    if (!abandoned) void settle(lease, release(lease))
  }

  const settle = async (lease: Lease, settlement: Settlement): Promise<void> => {
    await settling.settle(lease, settlement)
    held.drop(lease)
  }

  /** Its run goes on until the sandbox is ended: it is told anew, and that attempt does not count. */
  const leave = (lease: Lease, durationMs: number) => {
    held.drop(lease)
    const version = versionFor(lease) ?? ''
    const run = { ...stoppedRun, version, durationMs, event: lease.isAsLogged ? null : lease.event }
    void settling.settle(lease, { ...release(lease), run })
  }

  const drained = async (script: string | null) => {
    // What is being leased now begins nothing, but has to be given back.
    await pumping
    await serving.ended(
      serving.scripts().filter((name) => (script === null || name === script) && isPaused(name)),
    )
    settling.flush()
    await settling.settled()
  }

  const close = async () => {
    closed = true
    for (const script of serving.scripts()) recall(script)
    if (retryTimer !== null) clearTimeout(retryTimer)
    if (paceTimer !== null) clearTimeout(paceTimer)
    await pumping
    const ended = serving.ended(serving.scripts())
    const late = new AbortController()
    abandoned = await Promise.race([
      ended.then(() => false),
      wait(parts.stopMs ?? usualStopMs, true, { signal: late.signal }).catch(() => false),
    ])
    late.abort()
    if (abandoned) {
      log.warn(
        { scripts: serving.scripts() },
        'Runs that do not end are left to the next start, which tells them anew',
      )
      for (const [lease, sinceMs] of atWork) leave(lease, performance.now() - sinceMs)
    }
    await settling.close()
    held[Symbol.dispose]()
  }

  const serving = openServing({
    ...{ mayBegin, giveBack, conclude, concurrencyOf },
    tell(lease, turn) {
      let hasEnded = false
      const begins = () => void (hasEnded || atWork.set(lease, performance.now()))
      if (turn.before === null) begins()
      else turn.before.then(begins)
      return tell(lease, turn).finally(() => {
        hasEnded = true
        atWork.delete(lease)
      })
    },
    isLive: held.isLive,
    versionOf: versionFor,
    onIdle: wakeForSlot,
  })
  return { wake, onSwap, onPause, drained, close, [Symbol.asyncDispose]: close }
}
