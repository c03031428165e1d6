/** One connection to the broker, which comes back by itself, and channels that are opened again when they close. */
import { setTimeout as wait } from 'node:timers/promises'
import { type Channel, Connection } from 'rabbitmq-client'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

export interface LinkParts {
  readonly url: string
  /** As the broker shows the connection. */
  readonly name: string
  readonly log: Log
}

export interface Link extends AsyncDisposable {
  isConnected(): boolean
  /** A channel for some calls, to be closed by who asked. Rejects while the broker is away. */
  channel(): Promise<Channel>
  /**
   * Runs something on a channel, and again on another one whenever it ends, until the link is closed.
   * @param use ends soon after its signal: the channel is closed then, or is to be
   */
  keep(what: string, use: (channel: Channel, signal: AbortSignal) => Promise<void>): AsyncDisposable
}

/** A peer that is silent for twice as long is gone. */
const heartbeatSeconds = 5
const againMs = 1_000
const connectMs = 5_000

export function openLink({ url, name, log }: LinkParts): Link {
  const connection = new Connection({
    url,
    connectionName: `onstable ${name}`,
    heartbeat: heartbeatSeconds,
    connectionTimeout: connectMs,
    acquireTimeout: connectMs,
    retryLow: againMs,
    retryHigh: 5 * againMs,
    noDelay: true,
  })
  connection.on('connection', () => {
    log.info({ connection: name }, 'Connected to RabbitMQ')
  })
  connection.on('error', (error) => {
    // Said once for each outage.
    log.warn({ connection: name, reason: messageOf(error) }, 'RabbitMQ does not answer; trying again')
  })
  connection.on('connection.blocked', (reason) =>
    log.warn({ connection: name, reason }, 'RabbitMQ takes nothing for now; waiting'),
  )
  connection.on('connection.unblocked', () => log.info({ connection: name }, 'RabbitMQ takes messages again'))

  return {
    isConnected: () => connection.ready,
    channel: () => connection.acquire({ emitErrorsFromChannel: true }),
    keep(what, use) {
      const closing = new AbortController()
      let lastReason: string | null = null
      const stopped = new Promise<null>((resolve) =>
        closing.signal.addEventListener('abort', () => resolve(null), { once: true }),
      )
      const once = async () => {
        const acquiring = connection.acquire({ emitErrorsFromChannel: true })
        acquiring.catch(() => {})
        const channel = await Promise.race([acquiring, stopped])
        if (channel === null) return
        const closed = new AbortController()
        channel.once('close', () => closed.abort())
        channel.on('error', (error) => closed.abort(error))
        try {
          await use(channel, AbortSignal.any([closed.signal, closing.signal]))
          lastReason = null
        } finally {
          await Promise.race([channel.close(), wait(againMs)])
        }
      }
      const running = (async () => {
        while (!closing.signal.aborted) {
          try {
            await once()
          } catch (error) {
            const reason = messageOf(error)
            // That the broker is away was said by the connection.
            if (connection.ready && reason !== lastReason && !closing.signal.aborted)
              log.warn({ reason }, `RabbitMQ: ${what} was interrupted; trying again`)
            lastReason = reason
          }
          await wait(againMs, undefined, { signal: closing.signal }).catch(() => {})
        }
      })()
      return {
        async [Symbol.asyncDispose]() {
          closing.abort()
          await running
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.race([connection.close(), wait(againMs)])
      connection.unsafeDestroy()
    },
  }
}
