/**
 * The bridge to RabbitMQ. Out: every change of the log as a CloudEvent, to a topic exchange. In: a queue of instances
 * that other archives hold, and of commands. Door of the folder.
 *
 *   log ─► relay ─► exchange            queue ─► reading ─► taking in ─► store.record · store.command ─► acknowledged
 *           ▲ cursor                                │            │
 *                                                   ▼ unreadable ▼ cannot be carried out
 *                                                    the queue of the dead, with the reason
 */
import type { Settings } from '../config.ts'
import type { Header } from '../dicom/dicom.ts'
import { fault } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Ages, Origin, RelayState, Store } from '../store/store.ts'
import type { Requeued } from './dead-letters.ts'
import type { InboxCounts } from './inbox.ts'
import type { Letter } from './letter.ts'
import { openLink } from './link.ts'
import { noSizes, nothingReceived, startReading } from './reading.ts'
import { openRelay } from './relay.ts'
import { openTurn } from './turn.ts'

export interface BridgeParts {
  readonly settings: Pick<Settings, 'rabbitmq' | 'rabbitmqExchange' | 'rabbitmqQueue' | 'orthancs'>
  readonly store: Pick<
    Store,
    | 'epoch'
    | 'record'
    | 'command'
    | 'observeAnnouncements'
    | 'changesAfter'
    | 'takeRelay'
    | 'advanceRelay'
    | 'releaseRelay'
    | 'rewindRelay'
    | 'relay'
  >
  /** The name of this server. */
  readonly node: string
  readonly log: Log
  agesOf(header: Header, origin: Origin): Ages
  isDraining(): boolean
  /** An instance was recorded. */
  onRecorded(ages: Ages): void
  /** Windows may fire that could not before. */
  onReleased(): void
  /** A command made changes, or deliveries. */
  onCommanded(): void
}

export interface BridgeState {
  /** Whether the broker answers. */
  readonly isConnected: boolean
  /** Whether it takes nothing for now: it lacks memory or disk. */
  readonly isBlocked: boolean
  /** Null: nothing is published. */
  readonly exchange: string | null
  /** Null: nothing is taken in. */
  readonly queue: string | null
  /** How far the log is published; null: it never was. */
  readonly relay: RelayState | null
  /** Since when a queue that is bound to the exchange refuses what is published, milliseconds; null: none does. */
  readonly refusedSince: number | null
  /** Whether this server reads the queue. */
  readonly isReading: boolean
  /** Since this server was started. */
  readonly received: InboxCounts
  /** Messages that wait in the queue, and those that were set aside; null: the broker does not say. */
  readonly waiting: number | null
  readonly dead: number | null
}

export interface Bridge extends AsyncDisposable {
  /** There may be more in the log. */
  wake(): void
  state(): Promise<BridgeState>
  /** Publishes all changes after a number once more. @returns after and up to which; null: none ever was */
  replay(since: number): Promise<{ readonly since: number; readonly until: number } | null>
  /** The first of what was set aside. @throws `broker-away` */
  setAside(limit: number): Promise<Letter[]>
  /** Puts some of what was set aside back into the queue. @throws `broker-away` */
  requeue(): Promise<Requeued>
}

/** Whether instances may be announced: the store is to know that before it ticks. */
export function isAnnouncedTo({ rabbitmq, rabbitmqQueue }: BridgeParts['settings']): boolean {
  return rabbitmq !== undefined && rabbitmqQueue !== ''
}

/** Null: no broker is set. */
export async function startBridge(parts: BridgeParts): Promise<Bridge | null> {
  const { settings, store, node, log } = parts
  const url = settings.rabbitmq
  if (url === undefined) return null
  const exchange = settings.rabbitmqExchange === '' ? null : settings.rabbitmqExchange
  const queue = settings.rabbitmqQueue === '' ? null : settings.rabbitmqQueue
  await using opening = new AsyncDisposableStack()
  // What is published may be held back by the broker, and what is taken in must not be for that.
  const out = opening.use(await openLink({ url, name: `${node} out`, log }))
  const into = opening.use(await openLink({ url, name: `${node} in`, log }))
  const isAble = () => out.isConnected() && into.isConnected() && !parts.isDraining()
  const turn = opening.use(await openTurn({ store, isAble }))
  const reading = queue === null ? null : opening.use(startReading(parts, queue, { out, into, turn }))
  const relay = exchange === null ? null : opening.use(openRelay({ link: out, turn, exchange, store, log }))
  const running = opening.move()
  return {
    wake: () => relay?.wake(),
    async state() {
      const [published, sizes] = await Promise.all([store.relay(), reading?.sizes() ?? noSizes])
      return {
        isConnected: out.isConnected() && into.isConnected(),
        isBlocked: out.isBlocked(),
        exchange,
        queue,
        relay: published,
        refusedSince: relay?.refusedSince() ?? null,
        isReading: reading?.isReading() ?? false,
        received: reading?.counts() ?? nothingReceived,
        ...sizes,
      }
    },
    async replay(since) {
      if (exchange === null)
        throw fault('bad-request', 'Nothing is published: the setting "rabbitmqExchange" is empty')
      const last = (await store.relay())?.last ?? 0
      if (since > last) throw fault('bad-parameter', `Query parameter "seq": the log ends at ${last}`)
      // What is kept no longer cannot be told again.
      const [first] = await store.changesAfter(since, 1)
      const from = Math.max(since, (first?.seq ?? last + 1) - 1)
      const until = await store.rewindRelay(from)
      turn.refresh()
      return until === null ? null : { since: from, until: Math.max(from, until) }
    },
    setAside: async (limit) => (await reading?.look(limit)) ?? [],
    requeue: async () => (await reading?.requeue()) ?? { requeued: 0, left: 0 },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
