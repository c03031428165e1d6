/**
 * Publishes the log, in its order, from a cursor that moves when the broker has confirmed. Whoever takes over begins at
 * the cursor, so an event may come twice, under the same id; the first time it comes, all before it have come.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Channel } from 'rabbitmq-client'
import { messageOf } from '../errors.ts'
import { unlessAborted } from '../lib/unless-aborted.ts'
import type { Log } from '../log.ts'
import type { LoggedChange, Store } from '../store/store.ts'
import { changeMessage, topicOf } from './cloud-event.ts'
import { closeSoon, type Link, unlessSilent } from './link.ts'
import type { Held, Turn } from './turn.ts'

export interface RelayParts {
  readonly link: Link
  readonly turn: Turn
  readonly exchange: string
  readonly store: Pick<Store, 'epoch' | 'changesAfter' | 'advanceRelay' | 'relay'>
  readonly log: Log
}

export interface Relay extends AsyncDisposable {
  /** There may be more in the log. */
  wake(): void
  /** Since when a queue that is bound to the exchange refuses what is published; null: none does. */
  refusedSince(): number | null
}

/** Published before the first of them has to be confirmed. */
const window = 200
const idleMs = 1_000
/** After a refusal, doubled with each. */
const firstRefusalMs = 1_000
const longestRefusalMs = 30_000

export function openRelay({ link, turn, exchange, store, log }: RelayParts): Relay {
  let wake = () => {}
  let isWoken = false
  let refusals = 0
  let refusedSince: number | null = null

  const sleep = async (ms: number, signal: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    wake = resolve
    if (isWoken) resolve()
    await unlessAborted(promise, signal).catch(() => {})
    clearTimeout(timer)
    isWoken = false
  }
  /** @returns how many the broker has, from the first on; throws when the channel is gone */
  const publish = async (channel: Channel, changes: readonly LoggedChange[], signal: AbortSignal) => {
    const confirmed = changes.map((change) => {
      const { envelope, body } = changeMessage(change, store.epoch)
      return channel.basicPublish({ ...envelope, exchange, routingKey: topicOf(change.type) }, body)
    })
    const ends = await unlessAborted(Promise.allSettled(confirmed), signal)
    const failed = ends.findIndex(({ status }) => status === 'rejected')
    if (failed < 0) return changes.length
    const { reason } = ends[failed] as PromiseRejectedResult
    if ((reason as { code?: unknown }).code !== 'NACK') throw reason
    return failed
  }
  /** A queue that is full refuses. What comes behind must not be first there: from then on one at a time. */
  const onRefused = async (seq: number, signal: AbortSignal) => {
    refusals++
    refusedSince ??= Date.now()
    if (refusals === 1)
      log.error(
        { seq, exchange },
        'A queue that is bound to the exchange refuses a change; nothing is published until it takes it',
      )
    await wait(Math.min(firstRefusalMs * 2 ** (refusals - 1), longestRefusalMs), undefined, { signal })
  }
  const publishDuring = async (channel: Channel, { over, fence }: Held, signal: AbortSignal) => {
    let cursor = (await store.relay())?.cursor ?? 0
    while (!over.aborted && !signal.aborted) {
      const changes = await store.changesAfter(cursor, refusals > 0 ? 1 : window)
      if (changes.length === 0) {
        await sleep(idleMs, AbortSignal.any([over, signal]))
        continue
      }
      const lost = changes[0]!.seq - cursor - 1
      if (lost > 0)
        log.error({ lost, since: cursor }, 'Changes were not published: the log is not kept so far back')
      const count = await publish(channel, changes, AbortSignal.any([over, signal]))
      if (count > 0) {
        cursor = changes[count - 1]!.seq
        refusals = 0
        refusedSince = null
        if (!(await store.advanceRelay(fence, cursor))) {
          turn.refresh()
          return sleep(idleMs, AbortSignal.any([over, signal]))
        }
      }
      if (count < changes.length) await onRefused(changes[count]!.seq, AbortSignal.any([over, signal]))
    }
  }

  const running = link.keep('Publishing to RabbitMQ', async (channel, signal) => {
    await unlessSilent(declare(link, exchange), signal)
    await unlessSilent(channel.confirmSelect(), signal)
    while (!signal.aborted)
      await turn.during(signal, (held) =>
        publishDuring(channel, held, signal).catch((error) => {
          refusedSince = null
          // Its turn is over, and who has it next begins where it was.
          if (!held.over.aborted) throw error
          log.debug({ reason: messageOf(error) }, 'Publishing ended with its turn')
        }),
      )
  })
  return {
    wake() {
      isWoken = true
      wake()
    },
    refusedSince: () => refusedSince,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

/** One that is there already is taken as it is, if it is of the right kind. */
async function declare(link: Link, exchange: string): Promise<void> {
  const channel = await link.channel()
  channel.on('error', () => {})
  try {
    await channel.exchangeDeclare({ exchange, type: 'topic', durable: true })
  } catch (error) {
    const { code } = error as { code?: unknown }
    const isOfOtherType = /inequivalent arg 'type'/.test(messageOf(error))
    if ((code !== 'PRECONDITION_FAILED' && code !== 'ACCESS_REFUSED') || isOfOtherType) throw error
    const again = await link.channel()
    again.on('error', () => {})
    await again.exchangeDeclare({ exchange, passive: true }).finally(() => closeSoon(again))
  } finally {
    await closeSoon(channel)
  }
}
