/** The RabbitMQ that tests use, where one is found; each test has an exchange and queues of its own there. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type AsyncMessage, type Channel, Connection } from 'rabbitmq-client'
import { type Forwarder, openForwarder } from './forward.ts'
import { leaveOut } from './installed.ts'

export const rabbitmqUrl = process.env.ONSTABLE_TEST_RABBITMQ ?? 'amqp://guest:guest@127.0.0.1:5672'

export const hasRabbitmq = await isThere()

async function isThere(): Promise<boolean> {
  const connection = new Connection({ url: rabbitmqUrl, acquireTimeout: 2_000, connectionTimeout: 2_000 })
  connection.on('error', () => {})
  try {
    await (await connection.acquire()).close()
    return true
  } catch {
    return leaveOut('no RabbitMQ at 127.0.0.1:5672, nor at ONSTABLE_TEST_RABBITMQ')
  } finally {
    connection.unsafeDestroy()
  }
}

export interface DeadLetter {
  readonly reason: string
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
}

export interface Broker extends AsyncDisposable {
  readonly channel: Channel
  /** Settings of a server that uses this exchange and this queue. */
  readonly settings: { rabbitmq: string; rabbitmqExchange: string; rabbitmqQueue: string }
  /** What comes by the exchange from now on. */
  listen(routingKey?: string): Promise<readonly AsyncMessage[]>
  /** Puts a message into the queue; confirmed when resolved. */
  send(
    body: unknown,
    more?: { headers?: Record<string, unknown>; contentType?: string; routingKey?: string },
  ): Promise<void>
  /** What was set aside, the oldest first; it stays there. */
  dead(): Promise<DeadLetter[]>
  /** How many messages a queue has. */
  sizeOf(queue: string): Promise<number>
}

/** @param url the broker; removed at the end is all that was made there under these names */
export async function openBroker(url = rabbitmqUrl): Promise<Broker> {
  const name = `test_${randomUUID().slice(0, 8)}`
  const connection = new Connection({ url, retryLow: 50, retryHigh: 200, noDelay: true, frameMax: 131_072 })
  connection.on('error', () => {})
  const channel = await connection.acquire({ emitErrorsFromChannel: true })
  channel.on('error', () => {})
  await channel.confirmSelect()
  await channel.exchangeDeclare({ exchange: name, type: 'topic', durable: true })
  const queue = `${name}.in`
  return {
    channel,
    settings: { rabbitmq: url, rabbitmqExchange: name, rabbitmqQueue: queue },
    async listen(routingKey = '#') {
      const heard: AsyncMessage[] = []
      const { queue: own } = await channel.queueDeclare({ exclusive: true })
      await channel.queueBind({ queue: own, exchange: name, routingKey })
      await channel.basicConsume({ queue: own, noAck: true }, (message) => heard.push(message))
      return heard
    },
    async send(body, more = {}) {
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
      // A queue that has just been made may refuse for a moment.
      for (let tries = 1; ; tries++) {
        try {
          return await channel.basicPublish({ routingKey: queue, durable: true, ...more }, bytes)
        } catch (error) {
          if ((error as { code?: unknown }).code !== 'NACK' || tries === 50) throw error
          await wait(20)
        }
      }
    },
    async dead() {
      const asking = await connection.acquire()
      const letters: DeadLetter[] = []
      try {
        for (let message = await asking.basicGet(`${queue}.dead`); message !== undefined; ) {
          const { headers = {}, body } = message
          const text = Buffer.isBuffer(body) ? body.toString() : typeof body === 'string' ? body : '(JSON)'
          letters.push({ reason: String(headers['x-onstable-reason']), body: text, headers })
          message = await asking.basicGet(`${queue}.dead`)
        }
        return letters
      } finally {
        // What was not acknowledged goes back.
        await asking.close()
      }
    },
    async sizeOf(which) {
      return (await channel.queueDeclare({ queue: which, passive: true })).messageCount
    },
    async [Symbol.asyncDispose]() {
      for (const each of [queue, `${queue}.dead`]) await channel.queueDelete({ queue: each })
      await channel.exchangeDelete({ exchange: name })
      await channel.close()
      await connection.close()
    },
  }
}

export interface Line extends Forwarder {
  /** The broker, as it is reached by this line. */
  readonly url: string
}

/** A line to the broker that can be cut. */
export async function openLine(): Promise<Line> {
  const url = new URL(rabbitmqUrl)
  const forwarder = await openForwarder(url.hostname, Number(url.port || 5672))
  url.port = String(forwarder.port)
  url.hostname = '127.0.0.1'
  return { ...forwarder, url: url.href }
}
