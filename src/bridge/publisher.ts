/** Sends messages to queues, each until the broker has it for good. */
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Channel } from 'rabbitmq-client'
import { unlessAborted } from '../lib/unless-aborted.ts'
import type { Message } from './cloud-event.ts'
import { tryHeader } from './copy.ts'
import { closeSoon, type Link } from './link.ts'

export interface Publisher extends AsyncDisposable {
  /** The broker is away, or takes nothing for now. */
  isHeldUp(): boolean
  /** Rejects if no such queue takes it, while the broker is away or takes nothing, and when the signal ends it. */
  publish(queue: string, message: Message, signal: AbortSignal): Promise<void>
}

const mostMs = 20_000

export function openPublisher(link: Link): Publisher {
  const returned = new Set<string>()
  let channel: Promise<Channel> | null = null

  const open = () => {
    channel ??= (async () => {
      const opened = await link.channel()
      opened.on('error', () => {})
      opened.once('close', () => {
        channel = null
      })
      opened.on('basic.return', ({ headers }) => returned.add(String(headers?.[tryHeader])))
      await opened.confirmSelect()
      return opened
    })().catch((error) => {
      channel = null
      throw error
    })
    return channel
  }
  const publish = async (queue: string, { envelope, body }: Message) => {
    const opened = await open()
    const id = randomUUID()
    const headers = { ...envelope.headers, [tryHeader]: id }
    await opened.basicPublish(
      { ...envelope, headers, exchange: '', routingKey: queue, mandatory: true },
      body,
    )
    // What has no place to go is confirmed, too; the client says so a turn of the event loop later.
    await setImmediate()
    if (returned.delete(id)) throw new Error(`there is no queue "${queue}", or it takes no more`)
  }
  const close = async () => {
    const closing = channel
    channel = null
    const opened = await closing?.catch(() => null)
    if (opened !== null && opened !== undefined) await closeSoon(opened)
  }
  return {
    isHeldUp: () => !link.isConnected() || link.isBlocked(),
    async publish(queue, message, signal) {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(mostMs)])
      try {
        await unlessAborted(publish(queue, message), limited)
      } catch (error) {
        // A broker that does not answer on this channel may do so on another.
        if (limited.aborted) void close()
        throw error
      }
    },
    [Symbol.asyncDispose]: close,
  }
}
