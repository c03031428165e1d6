/** One connection to the broker, which comes back by itself, and channels that are opened again when they close. */
import { setImmediate, setTimeout as wait } from 'node:timers/promises'
import type { Channel } from 'rabbitmq-client'
import { messageOf } from '../errors.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import type { Log } from '../log.ts'

export interface LinkParts {
  readonly url: string
  /** As the broker shows the connection. */
  readonly name: string
  readonly log: Log
}

export interface Link extends AsyncDisposable {
  isConnected(): boolean
  /** The broker is there, and takes no messages for now: it lacks memory or disk. */
  isBlocked(): boolean
  /** A channel, to be closed by who asked. Rejects while the broker is away. */
  channel(): Promise<Channel>
  /**
   * Runs something on a channel, and again on another one whenever it ends, until it is closed.
   * @param use ends soon after its signal: the channel is closed then, or is to be
   */
  keep(what: string, use: (channel: Channel, signal: AbortSignal) => Promise<void>): AsyncDisposable
}

/** A peer that is silent for twice as long is gone. */
const heartbeatSeconds = 5
const againMs = 1_000
const connectMs = 5_000
/** The same failure is said again after that time. */
const sayAgainMs = 600_000
/** A broker may accept a connection and answer nothing, for a queue that is not well. */
const silenceMs = 30_000
/** Headers of a message are in one frame; brokers take no larger ones. */
const largestFrameBytes = 131_072

export async function openLink({ url, name, log }: LinkParts): Promise<Link> {
  // Whoever has no broker is spared the library.
  const { Connection } = await import('rabbitmq-client')
  const connection = new Connection({
    url,
    connectionName: `onstable ${name}`,
    heartbeat: heartbeatSeconds,
    connectionTimeout: connectMs,
    acquireTimeout: connectMs,
    retryLow: againMs,
    retryHigh: 5 * againMs,
    frameMax: largestFrameBytes,
    noDelay: true,
  })
  // The client's own `ready` is false as well while it writes much, and while the broker takes nothing.
  let isUp = false
  let isBlocked = false
  connection.on('connection', () => {
    isUp = true
    isBlocked = false
    log.info({ connection: name }, 'Connected to RabbitMQ')
  })
  // Said once for each outage.
  connection.on('error', (error) => {
    if (connection.ready) return
    isUp = false
    isBlocked = false
    const isRefused = (error as { code?: unknown }).code === 'ACCESS_REFUSED'
    const what = isRefused ? 'RabbitMQ refuses the user or its password' : 'RabbitMQ does not answer'
    log.warn({ connection: name, reason: shortReason(error) }, `${what}; trying again`)
  })
  connection.on('connection.blocked', (reason) => {
    isBlocked = true
    log.warn({ connection: name, reason }, 'RabbitMQ takes nothing for now; waiting')
  })
  connection.on('connection.unblocked', () => {
    isBlocked = false
    log.info({ connection: name }, 'RabbitMQ takes messages again')
  })
  const isConnected = () => {
    isUp ||= connection.ready
    return isUp
  }
  const channel = () => connection.acquire({ emitErrorsFromChannel: true })

  return {
    isConnected,
    isBlocked: () => isBlocked,
    channel,
    keep(what, use) {
      const closing = new AbortController()
      const said = new Map<string, number>()
      const once = async () => {
        const opened = await unlessAborted(channel(), closing.signal)
        const closed = new AbortController()
        opened.once('close', () => closed.abort(new Error('the broker has closed the channel')))
        opened.on('error', (error) => closed.abort(error))
        try {
          await use(opened, AbortSignal.any([closed.signal, closing.signal]))
        } finally {
          await closeSoon(opened)
        }
      }
      const running = (async () => {
        while (!closing.signal.aborted) {
          try {
            await once()
          } catch (error) {
            // That the broker is away was said by the connection.
            if (isConnected() && !closing.signal.aborted) say(what, shortReason(error), said, log)
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

/** For what a broker answers at once when it is well. What it refuses closes the channel, and says why. */
export function unlessSilent<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(silenceMs)])
  return unlessAborted(asked, limited).catch(async (error) => {
    await setImmediate()
    const late = Promise.reject(error)
    // It has ended by now, or will not.
    return Promise.race([asked, late])
  })
}

/** One that the broker does not read from is left to the end of its connection. */
export async function closeSoon(channel: Channel): Promise<void> {
  await Promise.race([channel.close(), wait(againMs)])
}

/** The client adds a word for each answer that it could not send. */
const shortReason = (error: unknown) => messageOf(error).slice(0, 200)

function say(what: string, reason: string, said: Map<string, number>, log: Log): void {
  const lastAt = said.get(reason) ?? Number.NEGATIVE_INFINITY
  if (performance.now() - lastAt < sayAgainMs) return
  said.set(reason, performance.now())
  log.warn({ reason }, `${what} was interrupted; trying again`)
}
