/**
 * The leases that this process holds, kept alive until they are settled. A lease counts as ours only while
 * its last renewal is fresh, whatever the store would say.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Lease, Store } from '../store/store.ts'

export const leaseMs = 30_000

export interface HeldLeases extends Disposable {
  hold(lease: Lease): void
  drop(lease: Lease): void
  isLive(lease: Lease): boolean
  /** What is held of a script and was not begun is not to be: another version of it is in force. */
  outdate(script: string): void
  isOutdated(lease: Lease): boolean
  /** The store failed: they may have run out, and are not to be handed out anew before they were renewed. */
  doubt(): void
  /** Renews them if they are in doubt. False: the store failed again. */
  areSure(): Promise<boolean>
}

export function holdLeases(store: Pick<Store, 'renew'>, log: Log): HeldLeases {
  /** Until when each is ours, of `performance.now()`. */
  const liveUntil = new Map<Lease, number>()
  const outdated = new WeakSet<Lease>()
  let areDoubted = false
  const renew = async () => {
    const leases = [...liveUntil.keys()]
    areDoubted = false
    if (leases.length === 0) return
    const until = performance.now() + leaseMs
    try {
      const ours = await store.renew(
        leases.map(({ delivery, fence }) => ({ delivery, fence })),
        leaseMs,
      )
      for (const [index, lease] of leases.entries()) {
        if (!liveUntil.has(lease)) continue
        if (ours[index] === true) liveUntil.set(lease, until)
        else liveUntil.delete(lease)
      }
    } catch (error) {
      areDoubted = true
      log.warn({ reason: messageOf(error) }, 'Leases could not be renewed')
    }
  }
  const timer = setInterval(() => void renew(), leaseMs / 3)
  timer.unref()
  return {
    hold: (lease) => liveUntil.set(lease, performance.now() + leaseMs),
    drop: (lease) => liveUntil.delete(lease),
    isLive: (lease) => (liveUntil.get(lease) ?? 0) > performance.now(),
    outdate(script) {
      for (const lease of liveUntil.keys()) if (lease.script === script) outdated.add(lease)
    },
    isOutdated: (lease) => outdated.has(lease),
    doubt() {
      areDoubted = true
    },
    async areSure() {
      if (areDoubted) await renew()
      return !areDoubted
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
