/**
 * Reads the queue: each message is taken in, or set aside with its reason, and only then acknowledged. One server of
 * those that share the queue reads it at a time, so that what came before is known to be taken in.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { AsyncMessage, Channel } from 'rabbitmq-client'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { bytesOf, type DeadLetters, envelopeOf, reasonHeader } from './dead-letters.ts'
import { readIncoming } from './incoming.ts'
import type { Link } from './link.ts'
import { declareQueue } from './queue.ts'
import type { TakeIn, TakenIn } from './take-in.ts'

export interface InboxParts {
  readonly link: Link
  readonly queue: string
  readonly deadLetters: DeadLetters
  readonly takeIn: TakeIn
  readonly epoch: string
  isDraining(): boolean
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
  counts(): InboxCounts
}

/** Handed out by the broker before the first is acknowledged. */
const prefetchCount = 200
const againMs = 1_000

export function openInbox({ link, queue, deadLetters, takeIn, epoch, isDraining, log }: InboxParts): Inbox {
  const counts: Record<TakenIn | 'dead', number> = {
    arrival: 0,
    repeated: 0,
    command: 0,
    'passed-over': 0,
    dead: 0,
  }
  const inHand = new Set<Promise<void>>()

  const setAside = async (message: AsyncMessage, error: unknown, signal: AbortSignal): Promise<'dead'> => {
    const reason = messageOf(error)
    log.warn({ queue: deadLetters.queue, reason }, 'A message was set aside')
    const copy = { envelope: envelopeOf(message, { [reasonHeader]: reason }), body: bytesOf(message.body) }
    for (;;) {
      try {
        await deadLetters.publish(deadLetters.queue, copy)
        return 'dead'
      } catch {
        // It stays in its queue until there is another place for it.
        await wait(againMs, undefined, { signal })
      }
    }
  }
  const resultOf = async (message: AsyncMessage, before: () => Promise<unknown>, signal: AbortSignal) => {
    try {
      const incoming = readIncoming({ body: bytesOf(message.body), headers: message.headers ?? {} }, epoch)
      return await takeIn(incoming, before, signal)
    } catch (error) {
      if (signal.aborted) throw error
      return await setAside(message, error, signal)
    }
  }
  const onMessage = (channel: Channel, message: AsyncMessage, signal: AbortSignal) => {
    const handling = resultOf(message, () => Promise.all(inHand), signal)
      .then((result) => {
        counts[result]++
        if (channel.active) channel.basicAck({ deliveryTag: message.deliveryTag })
      })
      // Not acknowledged, it comes again.
      .catch(() => {})
      .finally(() => inHand.delete(handling))
    inHand.add(handling)
  }

  /** Null: somebody else reads it, and nobody may besides. */
  const read = async (channel: Channel, isExclusive: boolean, signal: AbortSignal) => {
    try {
      const started = await channel.basicConsume({ queue, exclusive: isExclusive }, (message) =>
        onMessage(channel, message, signal),
      )
      return started.consumerTag
    } catch (error) {
      if (isExclusive && (error as { code?: unknown }).code === 'ACCESS_REFUSED') return null
      throw error
    }
  }

  const running = link.keep('reading', async (channel, signal) => {
    if (isDraining()) return
    const { isExclusive } = await declareQueue(link, queue, deadLetters.queue)
    const reading = new AbortController()
    const stop = AbortSignal.any([signal, reading.signal])
    // The queue was deleted.
    channel.on('basic.cancel', () => reading.abort())
    await channel.basicQos({ prefetchCount })
    const consumerTag = await read(channel, isExclusive, stop)
    // Another server has it to itself.
    if (consumerTag === null) return
    while (!stop.aborted && !isDraining()) await wait(againMs, undefined, { signal: stop }).catch(() => {})
    if (channel.active) await channel.basicCancel({ consumerTag })
    reading.abort()
    await Promise.all(inHand)
  })
  return {
    counts: () => ({
      arrivals: counts.arrival,
      repeated: counts.repeated,
      commands: counts.command,
      passedOver: counts['passed-over'],
      dead: counts.dead,
      inHand: inHand.size,
    }),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}
