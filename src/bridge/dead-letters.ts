/** The queue of messages that could not be read or carried out, each with its reason, until somebody puts them back. */
import type { SyncMessage } from 'rabbitmq-client'
import { fault, messageOf } from '../errors.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import { copyOf, reasonHeader } from './copy.ts'
import { type Letter, letterOf } from './letter.ts'
import { closeSoon, type Link } from './link.ts'
import type { Publisher } from './publisher.ts'

export interface DeadLetters {
  /** The name of the queue. */
  readonly queue: string
  /** Rejects if it cannot be copied, and while there is no place for it. */
  setAside(message: Pick<SyncMessage, 'body' | 'headers'>, reason: string, signal: AbortSignal): Promise<void>
  /** In the place of one that cannot be copied, and that its queue would not set aside as it is. */
  setAsideEmpty(reason: string, signal: AbortSignal): Promise<void>
  sizes(): Promise<{ readonly waiting: number | null; readonly dead: number | null }>
  /** The first of them, which stay where they are. @throws `broker-away` */
  look(limit: number): Promise<Letter[]>
  /** Puts as many back into the queue as some seconds allow. @throws `broker-away` */
  requeue(): Promise<Requeued>
}

export interface Requeued {
  readonly requeued: number
  /** How many of those that were there are still to be put back, or cannot be. */
  readonly left: number
}

/** Headers are in one frame. */
const longestReason = 500
const requeueMs = 5_000
/** Before the first of them is confirmed. */
const together = 100
const askMs = 5_000

function deadQueueOf(queue: string): string {
  return `${queue}.dead`
}

/**
 * @param link one that nothing is published on, which is therefore never held back
 * @param queue the one that messages came from
 */
export function openDeadLetters(link: Link, publisher: Publisher, queue: string): DeadLetters {
  const dead = deadQueueOf(queue)
  let isBusy = false

  /** One that is not there closes its channel. */
  const sizeOf = async (name: string): Promise<number | null> => {
    if (!link.isConnected()) return null
    return unlessAborted(askSize(name), AbortSignal.timeout(askMs)).catch(() => null)
  }
  const askSize = async (name: string): Promise<number | null> => {
    try {
      const asking = await link.channel()
      asking.on('error', () => {})
      try {
        return (await asking.queueDeclare({ queue: name, passive: true })).messageCount
      } finally {
        await closeSoon(asking)
      }
    } catch {
      return null
    }
  }
  /** Those that are not acknowledged go back to their places with the channel. */
  const look = async (limit: number): Promise<Letter[]> => {
    const looking = await link.channel()
    looking.on('error', () => {})
    try {
      const letters: Letter[] = []
      const signal = AbortSignal.timeout(askMs)
      while (letters.length < limit && !signal.aborted) {
        const message = await looking.basicGet({ queue: dead })
        if (message === undefined) break
        letters.push(letterOf(message))
      }
      return letters
    } finally {
      await closeSoon(looking)
    }
  }
  /** Some together; each is taken out only when its copy is confirmed, and stays where it cannot be copied. */
  const requeue = async (): Promise<Requeued> => {
    const signal = AbortSignal.timeout(requeueMs)
    const getting = await link.channel()
    getting.on('error', () => {})
    let requeued = 0
    try {
      const { messageCount } = await getting.queueDeclare({ queue: dead, passive: true })
      for (let taken = 0; taken < messageCount && !signal.aborted; ) {
        const messages: SyncMessage[] = []
        while (messages.length < Math.min(together, messageCount - taken)) {
          const message = await getting.basicGet({ queue: dead })
          if (message === undefined) break
          messages.push(message)
        }
        if (messages.length === 0) break
        taken += messages.length
        const ends = await Promise.allSettled(
          messages.map(async (message) => publisher.publish(queue, copyOf(message), signal)),
        )
        for (const [index, { status }] of ends.entries()) {
          if (status === 'rejected') continue
          getting.basicAck({ deliveryTag: messages[index]!.deliveryTag })
          requeued++
        }
        const failure = ends.find((end) => end.status === 'rejected' && !(end.reason instanceof RangeError))
        if (failure !== undefined && requeued === 0) throw (failure as PromiseRejectedResult).reason
        if (failure !== undefined) break
      }
      return { requeued, left: messageCount - requeued }
    } finally {
      await closeSoon(getting)
    }
  }
  /** What one has in hand, another would not find. */
  const alone = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (isBusy) throw fault('bad-request', 'They are being looked at, or put back, already: wait for that')
    if (!link.isConnected()) throw fault('broker-away', 'RabbitMQ does not answer; try again later')
    isBusy = true
    try {
      return await work()
    } catch (cause) {
      throw fault('broker-away', `RabbitMQ did not do it: ${messageOf(cause)}; try again later`, { cause })
    } finally {
      isBusy = false
    }
  }
  return {
    queue: dead,
    async setAside(message, reason, signal) {
      const copy = copyOf(message, { [reasonHeader]: reason.slice(0, longestReason) })
      await publisher.publish(dead, copy, signal)
    },
    async setAsideEmpty(reason, signal) {
      const headers = { [reasonHeader]: `${reason.slice(0, longestReason)} (it cannot be copied)` }
      await publisher.publish(dead, { envelope: { durable: true, headers }, body: Buffer.of() }, signal)
    },
    async sizes() {
      const [waiting, letters] = await Promise.all([sizeOf(queue), sizeOf(dead)])
      return { waiting, dead: letters }
    },
    look: (limit) => alone(() => look(limit)),
    async requeue() {
      if (link.isConnected() && publisher.isHeldUp())
        throw fault('broker-away', 'RabbitMQ takes nothing now; try again later')
      return alone(requeue)
    },
  }
}
