/** The queue that is read, and the one of the dead: made if they are not there, taken as they are otherwise. */
import type { AsyncMessage, Channel } from 'rabbitmq-client'
import { closeSoon, type Link } from './link.ts'

/**
 * After so many deliveries that were not acknowledged a message goes to the dead: it may be what ends the servers.
 * Each end of a connection counts, for all that it had in hand.
 */
const deliveryLimit = 1_000
/** Handed out by the broker before the first is acknowledged. */
const prefetchCount = 100

export interface Declared {
  /** False: it was made by somebody else, in another way. */
  readonly isOurs: boolean
}

export async function declareQueue(link: Link, queue: string, dead: string): Promise<Declared> {
  await declare(link, dead, { 'x-queue-type': 'quorum' })
  const isOurs = await declare(link, queue, {
    'x-queue-type': 'quorum',
    'x-single-active-consumer': true,
    'x-delivery-limit': deliveryLimit,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': dead,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  })
  return { isOurs }
}

/** False: somebody else reads it, and nobody may besides. */
export async function readQueue(
  channel: Channel,
  queue: string,
  { isOurs }: Declared,
  onMessage: (message: AsyncMessage) => void,
): Promise<boolean> {
  await channel.basicQos({ prefetchCount })
  try {
    await channel.basicConsume({ queue, exclusive: !isOurs }, onMessage)
    return true
  } catch (error) {
    if (!isOurs && codeOf(error) === 'ACCESS_REFUSED') return false
    throw error
  }
}

/** False: there is one of that name that was made in another way. */
async function declare(link: Link, queue: string, facts: Record<string, unknown>): Promise<boolean> {
  try {
    await onChannel(link, (channel) => channel.queueDeclare({ queue, durable: true, arguments: facts }))
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'PRECONDITION_FAILED' && code !== 'ACCESS_REFUSED') throw error
    await onChannel(link, (channel) => channel.queueDeclare({ queue, passive: true }))
    return false
  }
}

const codeOf = (error: unknown) => (error as { code?: unknown }).code

/** What is refused closes its channel. */
async function onChannel(link: Link, run: (channel: Channel) => Promise<unknown>): Promise<void> {
  const channel = await link.channel()
  channel.on('error', () => {})
  try {
    await run(channel)
  } finally {
    await closeSoon(channel)
  }
}
