/**
 * Follows what the queue announces, so that silence counts only as far as it was followed: while windows wait for that,
 * a mark is sent through the queue, and the time of the store before that is kept. When the mark comes out, all that was
 * sent before has come.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import { cloudEventType, type Message, sourceOf } from './cloud-event.ts'
import { markType } from './incoming.ts'

export interface AnnouncementsParts {
  readonly store: Pick<Store, 'observeAnnouncements' | 'epoch'>
  /** Whether this server reads the queue. */
  isReading(): boolean
  /** Sends a message to the queue. Rejects while the broker is away. */
  publish(message: Message, signal: AbortSignal): Promise<void>
  /** Windows may fire that could not before. */
  onReleased(): void
  readonly log: Log
}

export interface Announcements extends AsyncDisposable {
  /** A mark came out, and all before it was taken in. One that this server did not send says nothing. */
  onMark(id: string): Promise<void>
}

const everyMs = 250
/** One that does not come back is in a long queue, or was lost. */
const markMs = 10_000
const mostMarks = 1_000

/** From now on windows of what is held elsewhere wait for the marks. */
export function openAnnouncements(parts: AnnouncementsParts): Announcements {
  const { store, isReading, publish, onReleased, log } = parts
  const closing = new AbortController()
  const { signal } = closing
  /** Time of the store before each mark was sent, by its id, the oldest first. */
  const marks = new Map<string, number>()
  /** The mark that is underway. */
  let last: { readonly id: string; readonly sentAt: number } | null = null

  const observe = async (caughtUpAtMs: number | null) => {
    const { released, ...report } = await store.observeAnnouncements(caughtUpAtMs)
    if (released) onReleased()
    return report
  }
  const look = async () => {
    const { nowMs, isWaitedFor } = await observe(null)
    const isUnderway = last !== null && performance.now() - last.sentAt < markMs
    if (!isWaitedFor || isUnderway || !isReading()) return
    const id = randomUUID()
    last = { id, sentAt: performance.now() }
    marks.set(id, nowMs)
    for (const oldest of marks.keys()) if (marks.size > mostMarks) marks.delete(oldest)
    await publish(markOf(id, store.epoch), signal).catch(() => {
      // That the broker is away was said by the connection.
      marks.delete(id)
      last = null
    })
  }
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
    async onMark(id) {
      const atMs = marks.get(id)
      if (atMs === undefined) return
      await observe(atMs)
      marks.delete(id)
      if (last?.id === id) last = null
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
    },
  }
}

function markOf(id: string, epoch: string): Message {
  const body = { specversion: '1.0', id, source: sourceOf(epoch), type: markType, data: {} }
  return {
    envelope: { type: markType, contentType: cloudEventType, durable: false },
    body: Buffer.from(JSON.stringify(body)),
  }
}
