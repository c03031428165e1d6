/** A message that is sent on. */
import type { MessageBody, SyncMessage } from 'rabbitmq-client'
import type { Message } from './cloud-event.ts'

type Come = Pick<SyncMessage, 'body' | 'headers'> & Partial<SyncMessage>

/** Why a message was set aside. */
export const reasonHeader = 'x-onstable-reason'
/** By which one that was sent is known when it comes back. */
export const tryHeader = 'x-onstable-try'

/**
 * What a broker has put there, or would act on: with CC a copy would go to other queues, too.
 * (RabbitMQ, "Sender-selected Distribution" and "Dead Letter Exchanges")
 */
const ofBroker = /^(CC|BCC|x-death|x-first-death-.*|x-last-death-.*|x-delivery-count)$/
const ofCopies: readonly string[] = [reasonHeader, tryHeader]

/** Durable. @param headers further ones. @throws when the body cannot be written again */
export function copyOf(message: Come, headers: Readonly<Record<string, string>> = {}): Message {
  const { contentType, contentEncoding, messageId, type, timestamp, appId, correlationId } = message
  const facts = { contentType, contentEncoding, messageId, type, timestamp, appId, correlationId }
  const known = Object.entries(facts).filter(([, value]) => value !== undefined)
  const kept = Object.entries(message.headers ?? {}).filter(
    ([name]) => !ofBroker.test(name) && !ofCopies.includes(name),
  )
  return {
    envelope: {
      ...Object.fromEntries(known),
      durable: true,
      headers: { ...Object.fromEntries(kept), ...headers },
    },
    body: bytesOf(message.body),
  }
}

/** The client reads text and JSON on its own. @throws `RangeError` for what is nested too deeply */
export function bytesOf(body: MessageBody): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
