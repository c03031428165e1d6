/** Clients of the broker: an archive that announces instances until they are confirmed, and one that listens to all. */
import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type Channel, Connection, type SyncMessage } from 'rabbitmq-client'
import { type Announced, type Heard, messageOf } from './told.ts'

export interface Clients extends AsyncDisposable {
  /** Makes what listens, before anything is published. */
  prepare(): Promise<void>
  announce(instance: Announced): Promise<void>
  /** Sends a body to the queue of the servers until it is confirmed. */
  send(body: string): Promise<void>
  /** Takes everything that was published so far. */
  hear(): Promise<Heard[]>
  /** What the servers have set aside, as text. */
  dead(): Promise<string[]>
}

export const exchange = 'campaign'
export const queue = 'campaign.in'
const listening = 'campaign.heard'
const pauseMs = 100

export function openClients(url: string): Clients {
  const connection = new Connection({
    ...{ url, retryLow: 100, retryHigh: 500, acquireTimeout: 2_000, connectionTimeout: 2_000 },
    ...{ heartbeat: 5, noDelay: true },
  })
  connection.on('error', () => {})
  let channel: Promise<Channel> | null = null
  const returned = new Set<string>()

  const confirming = () => {
    channel ??= (async () => {
      const opened = await connection.acquire({ emitErrorsFromChannel: true })
      opened.on('error', () => {})
      opened.on('basic.return', ({ messageId = '' }) => returned.add(messageId))
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
  const insist = async <T>(run: (channel: Channel) => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await run(await confirming())
      } catch {
        await sleep(pauseMs)
      }
    }
  }
  const send: Clients['send'] = (body) =>
    insist(async (open) => {
      const messageId = randomUUID()
      const envelope = { routingKey: queue, messageId, durable: true, mandatory: true }
      await open.basicPublish(envelope, Buffer.from(body))
      // It was confirmed that there was no queue for it; the client says so a turn of the event loop later.
      await setImmediate()
      if (returned.delete(messageId)) throw new Error('returned')
    })
  const takeAll = (from: string): Promise<SyncMessage[]> =>
    insist(async (open) => {
      const messages: SyncMessage[] = []
      for (let message = await open.basicGet(from); message !== undefined; ) {
        messages.push(message)
        message = await open.basicGet(from)
      }
      return messages
    })
  return {
    send,
    prepare: () =>
      insist(async (open) => {
        await open.exchangeDeclare({ exchange, type: 'topic', durable: true })
        await open.queueDeclare({ queue: listening, durable: true, arguments: { 'x-queue-type': 'quorum' } })
        await open.queueBind({ queue: listening, exchange, routingKey: '#' })
      }),
    async announce(instance) {
      await send(messageOf(instance))
      instance.confirmedAtMs ??= Date.now()
    },
    async hear() {
      return (await takeAll(listening)).map(heardOf)
    },
    async dead() {
      const messages = await takeAll(`${queue}.dead`)
      return messages.map(({ headers, body }) => `${JSON.stringify(headers)} ${String(body)}`)
    },
    async [Symbol.asyncDispose]() {
      await (await channel?.catch(() => null))?.close()
      await connection.close()
    },
  }
}

function heardOf({ body, messageId = '' }: SyncMessage): Heard {
  const { data } = JSON.parse(String(body)) as {
    data: { Seq: number; ChangeType: string; ID: string; Trigger?: string }
  }
  const { Seq, ChangeType, ID, Trigger } = data
  return { messageId, seq: Seq, type: ChangeType, id: ID, trigger: Trigger ?? null }
}
