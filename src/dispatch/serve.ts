/**
 * The runs of one slot of a script, in order and one at a time. While they are short, several are handed over at once: the
 * next begins where it runs as soon as the one before it has ended well. After one that has not, what was handed
 * over behind it comes back, having done nothing.
 *
 *   queue ──hand over──► handed ──ended, in order──► conclude
 *     └◄───────────not begun─────────┘
 */
import type { Lease, Settlement } from '../store/store.ts'
import type { ScriptQueue } from './script-queue.ts'
import type { Tell } from './tell.ts'

/** What is handed over at a time while runs are shorter than this. */
const mostHanded = 32
const shortMs = 5

export interface ServeParts {
  readonly tell: Tell
  /** Whether a lease may still be begun; one that may not is given back. */
  mayBegin(lease: Lease): boolean
  isLive(lease: Lease): boolean
  /** The version that will run it: a run follows at once only one of the same. */
  versionOf(lease: Lease): string | null
  giveBack(lease: Lease): void
  /** Ends when the next run may see what this one did. */
  conclude(lease: Lease, settlement: Settlement): Promise<void>
  /** Other slots may find something in the queue that they could not take before. */
  onFreed(): void
}

interface Handed {
  readonly lease: Lease
  readonly version: string | null
  /** Null: it was not begun. */
  readonly settlement: Promise<Settlement | null>
  readonly concluded: PromiseWithResolvers<void>
}

/** Serves the queue, to which more may come meanwhile, until it has nothing for this slot. */
export async function serve(queue: ScriptQueue, slot: number, parts: ServeParts): Promise<void> {
  let handed: Handed[] = []
  let most = 1

  const handOver = (lease: Lease) => {
    const before = handed.at(-1)
    const version = parts.versionOf(lease)
    const isLive = () => parts.isLive(lease)
    const settlement = parts.tell(lease, { slot, isLive, before: before?.concluded.promise ?? null })
    handed.push({ lease, version, settlement, concluded: Promise.withResolvers() })
  }
  const mayHandOver = (lease: Lease) => {
    const before = handed.at(-1)
    if (before === undefined) return true
    // A version that has to be loaded first comes later than its turn: nothing may be in line beside it.
    if (lease.version !== null || before.lease.version !== null) return false
    return handed.length < most && before.version === parts.versionOf(lease)
  }
  const handOverAll = () => {
    for (;;) {
      const lease = queue.peek(slot)
      if (lease === undefined || !mayHandOver(lease)) return
      queue.take(lease, slot)
      if (parts.mayBegin(lease)) handOver(lease)
      else {
        queue.done(lease)
        // With all of its key, which none of those that stay may overtake.
        for (const each of [lease, ...queue.takeAllOf(lease.key)]) parts.giveBack(each)
      }
    }
  }
  const free = (lease: Lease) => {
    queue.done(lease)
    parts.onFreed()
  }
  /** Waits for what was handed over behind a run that did not end well; what did nothing is in the queue again. */
  const takeBack = async (notBegun: Lease[]) => {
    const behind = handed
    handed = []
    for (const { lease, settlement, concluded } of behind) {
      const end = await settlement
      if (end === null) notBegun.push(lease)
      else {
        await parts.conclude(lease, end)
        free(lease)
      }
      concluded.resolve()
    }
    queue.putBack(notBegun)
  }

  for (;;) {
    handOverAll()
    const first = handed.shift()
    if (first === undefined) return
    const { lease, settlement, concluded } = first
    const end = await settlement
    if (end !== null) await parts.conclude(lease, end)
    concluded.resolve()
    if (end?.next !== 'done') await takeBack(end === null ? [lease] : [])
    // What waits behind a delivery that has not ended has to wait in the store.
    if (end !== null && end.next !== 'done' && end.next !== 'dead') {
      for (const behind of queue.takeAllOf(lease.key)) parts.giveBack(behind)
    }
    if (end !== null) free(lease)
    const isShort = end !== null && end.run !== null && end.run.durationMs < shortMs
    most = isShort ? mostHanded : 1
  }
}
