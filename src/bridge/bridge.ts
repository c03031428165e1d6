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
import type { InboxCounts } from './inbox.ts'
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
  /** Publishes all changes after a number once more. @returns up to which they were; null: none ever was */
  replay(since: number): Promise<number | null>
  /** Puts what was set aside back into the queue. @returns how many messages. @throws `broker-away` */
  requeue(): Promise<number>
  close(): Promise<void>
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
  const out = opening.use(openLink({ url, name: `${node} out`, log }))
  const into = opening.use(openLink({ url, name: `${node} in`, log }))
  const isAble = () => out.isConnected() && into.isConnected() && !parts.isDraining()
  const turn = opening.use(await openTurn({ store, isAble }))
  const reading = queue === null ? null : opening.use(await startReading(parts, queue, { out, into, turn }))
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
        received: reading?.counts() ?? nothingReceived,
        ...sizes,
      }
    },
    async replay(since) {
      if (exchange === null)
        throw fault('bad-request', 'Nothing is published: the setting "rabbitmqExchange" is empty')
      const before = await store.rewindRelay(since)
      turn.refresh()
      return before
    },
    requeue: async () => (await reading?.requeue()) ?? 0,
    close: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
