/** Sends messages to queues, one after the other, each until the broker has it for good. */
import { setImmediate } from 'node:timers/promises'
import type { Channel } from 'rabbitmq-client'
import { oneAtATime } from '../lib/one-at-a-time.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import type { Message } from './cloud-event.ts'
import { closeSoon, type Link } from './link.ts'

export interface Publisher extends AsyncDisposable {
  /** The broker is away, or takes nothing for now. */
  isHeldUp(): boolean
  /** Rejects if no such queue takes it, while the broker is away or takes nothing, and when the signal ends it. */
  publish(queue: string, message: Message, signal: AbortSignal): Promise<void>
}

const mostMs = 20_000

export function openPublisher(link: Link): Publisher {
  const inTurn = oneAtATime()
  let channel: Channel | null = null
  let isReturned = false

  const open = async () => {
    if (channel?.active) return channel
    const opened = await link.channel()
    opened.on('error', () => {})
    opened.on('basic.return', () => {
      isReturned = true
    })
    await opened.confirmSelect()
    channel = opened
    return opened
  }
  const publish = async (queue: string, { envelope, body }: Message) => {
    const opened = await open()
    isReturned = false
    await opened.basicPublish({ ...envelope, exchange: '', routingKey: queue, mandatory: true }, body)
    // What has no place to go is confirmed, too; the client says so a turn of the event loop later.
    await setImmediate()
    if (isReturned) throw new Error(`there is no queue "${queue}", or it takes no more`)
  }
  return {
    isHeldUp: () => !link.isConnected() || link.isBlocked(),
    publish: (queue, message, signal) =>
      inTurn('publish', async () => {
        const limited = AbortSignal.any([signal, AbortSignal.timeout(mostMs)])
        limited.throwIfAborted()
        try {
          await unlessAborted(publish(queue, message), limited)
        } catch (error) {
          // What was not confirmed is not to be taken for the next.
          if (channel !== null) void closeSoon(channel)
          channel = null
          throw error
        }
      }),
    async [Symbol.asyncDispose]() {
      if (channel !== null) await closeSoon(channel)
    },
  }
}
