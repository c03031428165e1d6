/**
 * The queue of messages that could not be read or carried out, each with its reason, until somebody puts them back;
 * and whatever else is sent to a queue and has to be confirmed.
 */
import type { Channel, MessageBody, SyncMessage } from 'rabbitmq-client'
import { fault, messageOf } from '../errors.ts'
import type { Message } from './cloud-event.ts'
import type { Link } from './link.ts'

export interface DeadLetters extends AsyncDisposable {
  /** The name of the queue. */
  readonly queue: string
  /** Resolves when the broker has it for good. Rejects while it is away. */
  publish(queue: string, message: Message): Promise<void>
  sizes(): Promise<{ readonly waiting: number | null; readonly dead: number | null }>
  /** Puts all back into the queue. @returns how many. @throws `broker-away` */
  requeue(): Promise<number>
}

export const reasonHeader = 'x-onstable-reason'

export function deadQueueOf(queue: string): string {
  return `${queue}.dead`
}

/** @param queue the one that messages came from */
export function openDeadLetters({ link, queue }: { link: Link; queue: string }): DeadLetters {
  const dead = deadQueueOf(queue)
  let channel: Promise<Channel> | null = null

  const confirming = () => {
    channel ??= (async () => {
      const opened = await link.channel()
      opened.on('error', () => {})
      opened.once('close', () => {
        channel = null
      })
      await opened.confirmSelect()
      return opened
    })().catch((error) => {
      channel = null
      throw error
    })
    return channel
  }
  const publish: DeadLetters['publish'] = async (to, { envelope, body }) => {
    await (await confirming()).basicPublish({ ...envelope, exchange: '', routingKey: to }, body)
  }
  /** One that is not there closes its channel. */
  const sizeOf = async (name: string): Promise<number | null> => {
    if (!link.isConnected()) return null
    const asking = await link.channel()
    asking.on('error', () => {})
    try {
      return (await asking.queueDeclare({ queue: name, passive: true })).messageCount
    } catch {
      return null
    } finally {
      await asking.close()
    }
  }
  /** Each is taken out only when its copy is confirmed. */
  const requeue = async () => {
    const getting = await link.channel()
    getting.on('error', () => {})
    try {
      const { messageCount } = await getting.queueDeclare({ queue: dead, passive: true })
      let count = 0
      for (; count < messageCount; count++) {
        const message = await getting.basicGet({ queue: dead })
        if (message === undefined) break
        await publish(queue, { envelope: envelopeOf(message, {}), body: bytesOf(message.body) })
        getting.basicAck({ deliveryTag: message.deliveryTag })
      }
      return count
    } finally {
      await getting.close()
    }
  }
  return {
    queue: dead,
    publish,
    async sizes() {
      const [waiting, letters] = await Promise.all([sizeOf(queue), sizeOf(dead)])
      return { waiting, dead: letters }
    },
    requeue: () =>
      requeue().catch((cause) => {
        throw fault('broker-away', `RabbitMQ did not do it: ${messageOf(cause)}; try again later`, { cause })
      }),
    async [Symbol.asyncDispose]() {
      await (await channel?.catch(() => null))?.close()
    },
  }
}

/** A message as it came, durable, to be sent on. */
export function envelopeOf(
  message: Pick<
    SyncMessage,
    | 'headers'
    | 'contentType'
    | 'contentEncoding'
    | 'messageId'
    | 'type'
    | 'timestamp'
    | 'appId'
    | 'correlationId'
  >,
  headers: Readonly<Record<string, string>>,
): Message['envelope'] {
  const { contentType, contentEncoding, messageId, type, timestamp, appId, correlationId } = message
  const { [reasonHeader]: _, ...kept } = (message.headers ?? {}) as Record<string, unknown>
  const facts = { contentType, contentEncoding, messageId, type, timestamp, appId, correlationId }
  const known = Object.entries(facts).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(known), durable: true, headers: { ...kept, ...headers } }
}

/** The client reads text and JSON on its own. */
export function bytesOf(body: MessageBody): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
