/** The queue that is read, and the one of the dead: made if they are not there, taken as they are otherwise. */
import type { Channel } from 'rabbitmq-client'
import type { Link } from './link.ts'

/**
 * After so many deliveries that were not acknowledged a message goes to the dead: it may be what ends the servers.
 * A server that is killed counts for all that it had in hand.
 */
const deliveryLimit = 50

export interface Declared {
  /** It was made by somebody else: whether it lets only one read is not known, so that has to be asked for. */
  readonly isExclusive: boolean
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
  return { isExclusive: !isOurs }
}

/** False: there is one of that name that was made in another way. */
async function declare(link: Link, queue: string, facts: Record<string, unknown>): Promise<boolean> {
  try {
    await onChannel(link, (channel) => channel.queueDeclare({ queue, durable: true, arguments: facts }))
    return true
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code !== 'PRECONDITION_FAILED' && code !== 'ACCESS_REFUSED') throw error
    await onChannel(link, (channel) => channel.queueDeclare({ queue, passive: true }))
    return false
  }
}

/** What is refused closes its channel. */
async function onChannel(link: Link, run: (channel: Channel) => Promise<unknown>): Promise<void> {
  const channel = await link.channel()
  channel.on('error', () => {})
  try {
    await run(channel)
  } finally {
    await channel.close()
  }
}
