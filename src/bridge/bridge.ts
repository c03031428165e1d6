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
import type { Log } from '../log.ts'
import type { Ages, Origin, RelayState, Store } from '../store/store.ts'
import { openAnnouncements } from './announcements.ts'
import { openDeadLetters } from './dead-letters.ts'
import { type InboxCounts, openInbox } from './inbox.ts'
import { openLink } from './link.ts'
import { openOrthancs } from './orthancs.ts'
import { openRelay } from './relay.ts'
import { takeInWith } from './take-in.ts'

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
  /** Null: nothing is published. */
  readonly exchange: string | null
  /** Null: nothing is taken in. */
  readonly queue: string | null
  /** How far the log is published; null: it never was. */
  readonly relay: RelayState | null
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
  const deadLetters = queue === null ? null : opening.use(openDeadLetters({ link: out, queue }))
  const announcements =
    queue === null || deadLetters === null
      ? null
      : opening.use(
          await openAnnouncements({
            store,
            node,
            publish: (message) => deadLetters.publish(queue, message),
            onReleased: parts.onReleased,
            log,
          }),
        )
  const inbox =
    queue === null || deadLetters === null || announcements === null
      ? null
      : opening.use(
          openInbox({
            link: into,
            queue,
            deadLetters,
            takeIn: takeInWith({ ...parts, orthancs: openOrthancs(settings.orthancs), announcements }),
            epoch: store.epoch,
            isDraining: parts.isDraining,
            log,
          }),
        )
  const relay = exchange === null ? null : opening.use(openRelay({ link: out, exchange, store, log }))
  const running = opening.move()
  return {
    wake: () => relay?.wake(),
    async state() {
      const sizes = (await deadLetters?.sizes()) ?? { waiting: null, dead: null }
      return {
        isConnected: out.isConnected(),
        exchange,
        queue,
        relay: await store.relay(),
        received: inbox?.counts() ?? {
          arrivals: 0,
          repeated: 0,
          commands: 0,
          passedOver: 0,
          dead: 0,
          inHand: 0,
        },
        ...sizes,
      }
    },
    async replay(since) {
      const before = await store.rewindRelay(since)
      relay?.wake()
      return before
    },
    requeue: async () => (await deadLetters?.requeue()) ?? 0,
    close: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
