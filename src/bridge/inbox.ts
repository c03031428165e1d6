/**
 * Reads the queue: each message is taken in, or set aside with its reason, and only then acknowledged. When reading
 * ends, what was not goes back to the queue, in its place.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { AsyncMessage, Channel } from 'rabbitmq-client'
import { messageOf } from '../errors.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import type { Log } from '../log.ts'
import { bytesOf } from './copy.ts'
import type { DeadLetters } from './dead-letters.ts'
import { readIncoming } from './incoming.ts'
import { closeSoon, type Link, unlessSilent } from './link.ts'
import { type Declared, declareQueue, readQueue } from './queue.ts'
import type { TakeIn, TakenIn } from './take-in.ts'
import type { Turn } from './turn.ts'

export interface InboxParts {
  readonly link: Link
  readonly turn: Turn
  readonly queue: string
  readonly deadLetters: DeadLetters
  readonly takeIn: TakeIn
  readonly epoch: string
  readonly log: Log
}

/** Messages since the start. */
export interface InboxCounts {
  readonly arrivals: number
  /** Known already: delivered again, or announced twice. */
  readonly repeated: number
  readonly commands: number
  readonly passedOver: number
  readonly dead: number
  /** Neither taken in nor set aside yet. */
  readonly inHand: number
}

export interface Inbox extends AsyncDisposable {
  isReading(): boolean
  counts(): InboxCounts
}

/** Of what is in hand when reading has to end. */
const patienceMs = 5_000
const againMs = 1_000
/** Of messages that were set aside, and of those that cannot be, one in that time is logged. */
const sayMs = 10_000

/** What became of a message, or why it can become nothing. */
type Decision = { readonly result: TakenIn } | { readonly refused: string }

export function openInbox({ link, turn, queue, deadLetters, takeIn, epoch, log }: InboxParts): Inbox {
  const counts = { arrival: 0, repeated: 0, command: 0, mark: 0, 'passed-over': 0, dead: 0 }
  let inHand = 0
  let isReading = false
  let isRefused = false
  let unsaid = 0
  let saidAt = Number.NEGATIVE_INFINITY

  const say = (facts: object, text: string) => {
    unsaid++
    if (performance.now() - saidAt < sayMs) return
    log.warn({ queue: deadLetters.queue, ...facts, ...(unsaid > 1 ? { messages: unsaid } : {}) }, text)
    unsaid = 0
    saidAt = performance.now()
  }
  /** False: it cannot be copied. */
  const setAside = async (message: AsyncMessage, reason: string, signal: AbortSignal): Promise<boolean> => {
    for (let tries = 1; ; tries++) {
      try {
        await deadLetters.setAside(message, reason, signal)
        say({ reason }, 'A message was set aside')
        return true
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof RangeError || /frame size/.test(messageOf(error))) return false
        // It stays in its queue until there is another place for it.
        say({ reason: messageOf(error) }, 'Messages cannot be set aside; trying again')
        await declareQueue(link, queue, deadLetters.queue).catch(() => {})
        await wait(Math.min(againMs * tries, patienceMs), undefined, { signal })
      }
    }
  }
  const read = async (channel: Channel, declared: Declared, signal: AbortSignal) => {
    const handled = new Set<Promise<void>>()
    const undecided = new Set<Promise<Decision>>()

    const decide = async (message: AsyncMessage): Promise<Decision> => {
      try {
        const incoming = readIncoming({ body: bytesOf(message.body), headers: message.headers ?? {} }, epoch)
        return { result: await takeIn(incoming, () => Promise.all(undecided), signal) }
      } catch (error) {
        signal.throwIfAborted()
        return { refused: messageOf(error) }
      }
    }
    const conclude = async (message: AsyncMessage, decision: Decision) => {
      const { deliveryTag } = message
      const isTakenIn = 'result' in decision
      const isCopied = isTakenIn || (await setAside(message, decision.refused, signal))
      counts[isTakenIn ? decision.result : 'dead']++
      if (isTakenIn || isCopied) channel.basicAck({ deliveryTag })
      else await rejectAsItIs(deliveryTag, decision.refused)
    }
    /** A queue of ours sets it aside as it came, without the reason; of another there may be nothing left. */
    const rejectAsItIs = async (deliveryTag: number, reason: string) => {
      log.error({ queue, reason }, 'A message could not be copied to where it is set aside')
      if (!declared.isOurs) await deadLetters.setAsideEmpty(reason, signal)
      channel.basicNack({ deliveryTag, requeue: false })
    }
    const onMessage = (message: AsyncMessage) => {
      if (signal.aborted) return
      inHand++
      const decision = decide(message)
      undecided.add(decision)
      const handling = decision
        .finally(() => undecided.delete(decision))
        .then((decided) => conclude(message, decided))
        // Not acknowledged, it comes again.
        .catch((error) => {
          if (!signal.aborted)
            log.error({ reason: messageOf(error) }, 'A message was not handled; it comes again')
        })
        .finally(() => {
          inHand--
          handled.delete(handling)
        })
      handled.add(handling)
    }
    return { handled, mayRead: await unlessSilent(readQueue(channel, queue, declared, onMessage), signal) }
  }

  /** Until the turn is over, or the channel is gone. */
  const readWhile = async (channel: Channel, over: AbortSignal, signal: AbortSignal) => {
    const declared = await unlessSilent(declareQueue(link, queue, deadLetters.queue), signal)
    const stopping = new AbortController()
    channel.on('basic.cancel', () => stopping.abort())
    const { handled, mayRead } = await read(channel, declared, AbortSignal.any([signal, stopping.signal]))
    if (!mayRead) {
      if (!isRefused)
        log.error({ queue }, 'Another program reads the queue, and nobody may besides: nothing is taken in')
      isRefused = true
      return
    }
    isRefused = false
    isReading = true
    const ended = AbortSignal.any([signal, stopping.signal, over])
    await unlessAborted(new Promise(() => {}), ended).catch(() => {})
    isReading = false
    stopping.abort()
    await Promise.all(handled)
    // What was handed out and not looked at is back in its place before anybody else reads.
    await closeSoon(channel)
  }

  const running = link.keep('Reading from RabbitMQ', (channel, signal) =>
    turn.during(signal, ({ over }) => readWhile(channel, over, signal)),
  )
  return {
    isReading: () => isReading,
    counts: () => ({
      arrivals: counts.arrival,
      repeated: counts.repeated,
      commands: counts.command,
      passedOver: counts['passed-over'],
      dead: counts.dead,
      inHand,
    }),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}
