/** A message that is sent on. */
import type { MessageBody, SyncMessage } from 'rabbitmq-client'
import type { Message } from './cloud-event.ts'

type Come = Pick<SyncMessage, 'body' | 'headers'> & Partial<SyncMessage>

/**
 * What a broker has put there, or would act on: with CC a copy would go to other queues, too.
 * (RabbitMQ, "Sender-selected Distribution" and "Dead Letter Exchanges")
 */
const ofBroker =
  /^(CC|BCC|x-death|x-first-death-.*|x-last-death-.*|x-delivery-count|x-onstable-reason|x-onstable-try)$/

/** Durable. @param headers further ones. @throws when the body cannot be written again */
export function copyOf(message: Come, headers: Readonly<Record<string, string>> = {}): Message {
  const { contentType, contentEncoding, messageId, type, timestamp, appId, correlationId } = message
  const facts = { contentType, contentEncoding, messageId, type, timestamp, appId, correlationId }
  const known = Object.entries(facts).filter(([, value]) => value !== undefined)
  const kept = Object.entries(message.headers ?? {}).filter(([name]) => !ofBroker.test(name))
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
