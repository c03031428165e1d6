/**
 * Follows what the queue announces, so that silence counts only as far as it was followed: while windows wait for that,
 * a mark is sent through the queue with the time of the store. When it comes out, all that was sent before has come.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import { cloudEventType, type Message, sourceOf } from './cloud-event.ts'
import { type Incoming, markType } from './incoming.ts'

export interface AnnouncementsParts {
  readonly store: Pick<Store, 'observeAnnouncements' | 'epoch'>
  readonly node: string
  /** Sends a message to the queue. Rejects while the broker is away. */
  publish(message: Message): Promise<void>
  /** Windows may fire that could not before. */
  onReleased(): void
  readonly log: Log
}

export interface Announcements extends AsyncDisposable {
  /** A mark came out, and all before it was taken in. */
  onMark(mark: Extract<Incoming, { kind: 'mark' }>): Promise<void>
}

const everyMs = 250
/** One that does not come back is in a long queue, or was lost. */
const markMs = 10_000

/** From now on windows of what is held elsewhere wait for the marks. */
export async function openAnnouncements(parts: AnnouncementsParts): Promise<Announcements> {
  const { store, node, publish, onReleased, log } = parts
  const closing = new AbortController()
  const { signal } = closing
  /** When the mark was sent that is underway. */
  let sentAt: number | null = null

  const observe = async (caughtUpAtMs: number | null) => {
    const { released, ...report } = await store.observeAnnouncements(caughtUpAtMs)
    if (released) onReleased()
    return report
  }
  const look = async () => {
    const { nowMs, isWaitedFor } = await observe(null)
    const isUnderway = sentAt !== null && performance.now() - sentAt < markMs
    if (!isWaitedFor || isUnderway) return
    sentAt = performance.now()
    await publish(markOf(node, nowMs, store.epoch)).catch(() => {
      // The connection says that the broker is away.
      sentAt = null
    })
  }
  await observe(null)
  const running = (async () => {
    let wasFailing = false
    while (!signal.aborted) {
      try {
        await look()
        wasFailing = false
      } catch (error) {
        if (!wasFailing && !signal.aborted)
          log.warn(
            { reason: messageOf(error) },
            'What a broker announces could not be followed; trying again',
          )
        wasFailing = true
      }
      await wait(everyMs, undefined, { signal, ref: false }).catch(() => {})
    }
  })()
  return {
    async onMark({ node: from, atMs }) {
      if (from === node) sentAt = null
      await observe(atMs)
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
    },
  }
}

function markOf(node: string, atMs: number, epoch: string): Message {
  const body = {
    specversion: '1.0',
    id: randomUUID(),
    source: sourceOf(epoch),
    type: markType,
    data: { node, atMs },
  }
  return {
    envelope: { type: markType, contentType: cloudEventType, durable: false },
    body: Buffer.from(JSON.stringify(body)),
  }
}
