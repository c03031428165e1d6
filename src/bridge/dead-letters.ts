/** The queue of messages that could not be read or carried out, each with its reason, until somebody puts them back. */
import type { SyncMessage } from 'rabbitmq-client'
import { fault, messageOf } from '../errors.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import { copyOf } from './copy.ts'
import { closeSoon, type Link } from './link.ts'
import type { Publisher } from './publisher.ts'

export interface DeadLetters {
  /** The name of the queue. */
  readonly queue: string
  /** Rejects if it cannot be copied, and while there is no place for it. */
  setAside(message: Pick<SyncMessage, 'body' | 'headers'>, reason: string, signal: AbortSignal): Promise<void>
  sizes(): Promise<{ readonly waiting: number | null; readonly dead: number | null }>
  /** Puts all back into the queue. @returns how many. @throws `broker-away` */
  requeue(): Promise<number>
}

export const reasonHeader = 'x-onstable-reason'
/** Headers are in one frame. */
const longestReason = 500
const requeueMs = 60_000
const askMs = 5_000

export function deadQueueOf(queue: string): string {
  return `${queue}.dead`
}

/**
 * @param link one that nothing is published on, which is therefore never held back
 * @param queue the one that messages came from
 */
export function openDeadLetters(link: Link, publisher: Publisher, queue: string): DeadLetters {
  const dead = deadQueueOf(queue)

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
  /** Each is taken out only when its copy is confirmed. */
  const requeue = async () => {
    const signal = AbortSignal.timeout(requeueMs)
    const getting = await link.channel()
    getting.on('error', () => {})
    try {
      const { messageCount } = await getting.queueDeclare({ queue: dead, passive: true })
      let count = 0
      for (; count < messageCount && !signal.aborted; count++) {
        const message = await getting.basicGet({ queue: dead })
        if (message === undefined) break
        await publisher.publish(queue, copyOf(message), signal)
        getting.basicAck({ deliveryTag: message.deliveryTag })
      }
      return count
    } finally {
      await closeSoon(getting)
    }
  }
  return {
    queue: dead,
    async setAside(message, reason, signal) {
      const copy = copyOf(message, { [reasonHeader]: reason.slice(0, longestReason) })
      await publisher.publish(dead, copy, signal)
    },
    async sizes() {
      const [waiting, letters] = await Promise.all([sizeOf(queue), sizeOf(dead)])
      return { waiting, dead: letters }
    },
    async requeue() {
      if (!link.isConnected() || publisher.isHeldUp())
        throw fault('broker-away', 'RabbitMQ does not answer, or takes nothing now; try again later')
      return requeue().catch((cause) => {
        throw fault('broker-away', `RabbitMQ did not do it: ${messageOf(cause)}; try again later`, { cause })
      })
    },
  }
}
