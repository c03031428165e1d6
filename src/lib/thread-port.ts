/** The inside of a worker thread that answers requests: it takes all that came in while it was busy at once. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { type WireError, wireError } from './wire-error.ts'

export interface ThreadRequest<Body> {
  readonly id: number
  readonly body: Body
}

export type ThreadReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError }

export type ToThread<Body> = readonly ThreadRequest<Body>[] | 'close'

export type FromThread =
  | { readonly type: 'opened'; readonly greeting: unknown }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'replies'; readonly replies: readonly ThreadReply[] }
  | { readonly type: 'closed' }

export interface ThreadWork<Body> {
  readonly greeting: unknown
  /** Each request is answered before the next one is begun, so that no answer waits for another. */
  readonly isOneByOne: boolean
  /** Whether a batch is not to take in more of what waits; one message is never split. */
  isFull(batch: readonly ThreadRequest<Body>[]): boolean
  /** Answers every request of the batch, in any order. Must not throw. */
  answer(batch: readonly ThreadRequest<Body>[]): ThreadReply[]
  close(): void
}

/** Serves the thread's owner until it says `close`. What `open` throws is the owner's error. */
export function serveThread<Body>(port: MessagePort, open: () => ThreadWork<Body>): void {
  const post = (message: FromThread) => port.postMessage(message)
  let work: ThreadWork<Body>
  try {
    work = open()
  } catch (cause) {
    post({ type: 'failed', error: wireError(cause) })
    return
  }
  const close = () => {
    work.close()
    post({ type: 'closed' })
    port.close()
  }
  port.on('message', (first: ToThread<Body>) => {
    if (first === 'close') return close()
    const batch = [...first]
    let isLast = false
    while (!isLast && !work.isFull(batch)) {
      const next = receiveMessageOnPort(port) as { message: ToThread<Body> } | undefined
      if (next === undefined) break
      if (next.message === 'close') isLast = true
      else batch.push(...next.message)
    }
    if (work.isOneByOne) for (const one of batch) post({ type: 'replies', replies: work.answer([one]) })
    else post({ type: 'replies', replies: work.answer(batch) })
    if (isLast) close()
  })
  post({ type: 'opened', greeting: work.greeting })
}
