/**
 * Publishes the log: one server at a time, in the order of the log, from a cursor that moves when the broker has
 * confirmed. Whoever takes over begins at the cursor, so an event may come twice, under the same id; the first time it
 * comes, all before it have come.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Channel } from 'rabbitmq-client'
import type { Log } from '../log.ts'
import type { LoggedChange, Store } from '../store/store.ts'
import { changeMessage, topicOf } from './cloud-event.ts'
import type { Link } from './link.ts'

export interface RelayParts {
  readonly link: Link
  readonly exchange: string
  readonly store: Pick<Store, 'epoch' | 'changesAfter' | 'takeRelay' | 'advanceRelay' | 'releaseRelay'>
  readonly log: Log
}

export interface Relay extends AsyncDisposable {
  /** There may be more in the log, or the cursor was moved. */
  wake(): void
}

/** How long a server that is gone keeps the others from publishing. */
const turnMs = 15_000
const renewMs = 2_000
/** Published before the first of them has to be confirmed. */
const window = 200
const idleMs = 1_000

export function openRelay({ link, exchange, store, log }: RelayParts): Relay {
  let wake = () => {}
  let isWoken = false

  const sleep = async (signal: AbortSignal) => {
    if (!isWoken) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      await Promise.race([woken, wait(idleMs, undefined, { signal }).catch(() => {})])
      wake = () => {}
    }
    isWoken = false
  }

  const publish = async (channel: Channel, changes: readonly LoggedChange[], signal: AbortSignal) => {
    const confirmed = changes.map((change) => {
      const { envelope, body } = changeMessage(change, store.epoch)
      return channel.basicPublish({ ...envelope, exchange, routingKey: topicOf(change.type) }, body)
    })
    await Promise.race([Promise.all(confirmed), rejectedOn(signal)])
  }

  /** Until the turn is another's, or nothing is left. @returns when it is to be looked for more */
  const goOn = async (channel: Channel, signal: AbortSignal): Promise<void> => {
    const turn = await store.takeRelay(turnMs)
    const takenAt = performance.now()
    if (turn === null) return sleep(signal)
    for (let { cursor } = turn; performance.now() - takenAt < renewMs && !signal.aborted; ) {
      const changes = await store.changesAfter(cursor, window)
      if (changes.length === 0) return sleep(signal)
      const lost = changes[0]!.seq - cursor - 1
      if (lost > 0)
        log.error({ lost, since: cursor }, 'Changes were not published: the log is not kept so far back')
      await publish(channel, changes, signal)
      cursor = changes.at(-1)!.seq
      if (!(await store.advanceRelay(turn.fence, cursor))) return
    }
  }

  const running = link.keep('publishing', async (channel, signal) => {
    await channel.exchangeDeclare({ exchange, type: 'topic', durable: true })
    await channel.confirmSelect()
    while (!signal.aborted) await goOn(channel, signal)
  })
  return {
    wake() {
      isWoken = true
      wake()
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await store.releaseRelay().catch(() => {})
    },
  }
}

function rejectedOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
