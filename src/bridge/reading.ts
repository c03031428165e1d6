/** All that takes in what comes by the queue, put together. */
import { openAnnouncements } from './announcements.ts'
import type { BridgeParts } from './bridge.ts'
import { type DeadLetters, openDeadLetters } from './dead-letters.ts'
import { type Inbox, type InboxCounts, openInbox } from './inbox.ts'
import type { Link } from './link.ts'
import { openOrthancs } from './orthancs.ts'
import { openPublisher } from './publisher.ts'
import { takeInWith } from './take-in.ts'
import type { Turn } from './turn.ts'

export interface Reading extends Inbox, Pick<DeadLetters, 'sizes' | 'look' | 'requeue'> {}

interface Lines {
  readonly out: Link
  readonly into: Link
  readonly turn: Turn
}

export const noSizes = { waiting: null, dead: null } as const
export const nothingReceived: InboxCounts = {
  arrivals: 0,
  repeated: 0,
  commands: 0,
  passedOver: 0,
  dead: 0,
  inHand: 0,
}

export function startReading(parts: BridgeParts, queue: string, { out, into, turn }: Lines): Reading {
  const { store, settings, log } = parts
  const running = new AsyncDisposableStack()
  const publisher = running.use(openPublisher(out))
  const deadLetters = openDeadLetters(into, publisher, queue)
  const announcements = running.use(
    openAnnouncements({
      store,
      isReading: () => inbox.isReading(),
      publish: (message, signal) => publisher.publish(queue, message, signal),
      onReleased: parts.onReleased,
      log,
    }),
  )
  const takeIn = takeInWith({ ...parts, orthancs: openOrthancs(settings.orthancs), announcements })
  const inbox = running.use(
    openInbox({ link: into, turn, queue, deadLetters, takeIn, epoch: store.epoch, log }),
  )
  return {
    isReading: inbox.isReading,
    counts: inbox.counts,
    sizes: deadLetters.sizes,
    look: deadLetters.look,
    requeue: deadLetters.requeue,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
