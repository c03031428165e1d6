/**
 * The runs of one script, in order and one at a time. While they are short, several are handed over at once: the
 * next begins where it runs as soon as the one before it has ended well. After one that has not, what was handed
 * over behind it comes back, having done nothing.
 *
 *   queue ──hand over──► handed ──ended, in order──► conclude
 *     └◄───────────not begun─────────┘
 */
import type { Lease, Settlement } from '../store/store.ts'
import type { Tell } from './tell.ts'

/** What is handed over at a time while runs are shorter than this. */
const mostHanded = 32
const shortMs = 5

export interface ServeParts {
  readonly tell: Tell
  /** Whether a lease may still be begun; one that may not is given back. */
  mayBegin(lease: Lease): boolean
  isLive(lease: Lease): boolean
  /** The version in force: a run follows at once only one of the same. */
  versionOf(script: string): string | null
  giveBack(lease: Lease): void
  /** Ends when the next run may see what this one did. */
  conclude(lease: Lease, settlement: Settlement): Promise<void>
}

interface Handed {
  readonly lease: Lease
  readonly version: string | null
  /** Null: it was not begun. */
  readonly settlement: Promise<Settlement | null>
  readonly concluded: PromiseWithResolvers<void>
}

/** Serves the queue, to which more may come meanwhile, until it is empty. */
export async function serve(queue: Lease[], parts: ServeParts): Promise<void> {
  let handed: Handed[] = []
  let most = 1

  const handOver = (lease: Lease) => {
    const before = handed.at(-1)
    const version = parts.versionOf(lease.script)
    const isLive = () => parts.isLive(lease)
    const settlement = parts.tell(lease, isLive, before === undefined ? null : before.concluded.promise)
    handed.push({ lease, version, settlement, concluded: Promise.withResolvers() })
  }
  const mayHandOver = ({ script }: Lease) => {
    const before = handed.at(-1)
    return before === undefined || (handed.length < most && before.version === parts.versionOf(script))
  }
  /** Waits for what was handed over behind a run that did not end well; what did nothing is in the queue again. */
  const takeBack = async () => {
    const behind = handed
    handed = []
    const notBegun: Lease[] = []
    for (const { lease, settlement, concluded } of behind) {
      const end = await settlement
      if (end === null) notBegun.push(lease)
      else await parts.conclude(lease, end)
      concluded.resolve()
    }
    queue.unshift(...notBegun)
  }

  while (queue.length + handed.length > 0) {
    while (queue.length > 0 && mayHandOver(queue[0]!)) {
      const lease = queue.shift()!
      if (parts.mayBegin(lease)) handOver(lease)
      else parts.giveBack(lease)
    }
    const first = handed.shift()
    if (first === undefined) continue
    const { lease, settlement, concluded } = first
    const end = await settlement
    if (end !== null) await parts.conclude(lease, end)
    concluded.resolve()
    if (end?.next !== 'done') await takeBack()
    if (end === null) queue.unshift(lease)
    else if (end.next !== 'done' && end.next !== 'dead') giveBackBehind(queue, lease, parts)
    const isShort = end !== null && end.run !== null && end.run.durationMs < shortMs
    most = isShort ? mostHanded : 1
  }
}

/** What waits behind a delivery that has not ended has to wait in the store. */
function giveBackBehind(queue: Lease[], { key }: Lease, { giveBack }: ServeParts): void {
  for (const behind of queue.filter((lease) => lease.key === key)) {
    queue.splice(queue.indexOf(behind), 1)
    giveBack(behind)
  }
}
