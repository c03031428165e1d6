/**
 * A worker thread that answers requests, as its owner sees it: requests by number, replies in any order.
 * The thread's end is `thread-port.ts`.
 */
import { type Transferable, Worker } from 'node:worker_threads'
import { fault, messageOf } from '../errors.ts'
import type { FromThread, ThreadRequest, ToThread } from './thread-port.ts'
import { errorFromWire } from './wire-error.ts'

export interface Thread<Body> extends AsyncDisposable {
  /** What the thread said when it was ready. */
  readonly greeting: unknown
  /** It failed, or was closed: it answers nothing any more. */
  readonly hasEnded: boolean
  /** @param transfer what moves to the thread, and is of no use here afterwards */
  request(body: Body, transfer?: readonly Transferable[]): Promise<unknown>
  /** Ends when the requests made before have been answered. */
  close(): Promise<void>
}

export interface ThreadOptions {
  /** Name for messages: 'The database thread'. */
  readonly name: string
  readonly entry: URL
  readonly data: unknown
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Resolves when the thread is ready; rejects with what it threw before that. */
export async function startThread<Body>({ name, entry, data }: ThreadOptions): Promise<Thread<Body>> {
  const worker = new Worker(entry, { workerData: data })
  const pending = new Map<number, Pending>()
  let lastId = 0
  let ended: Error | null = null
  const opened = Promise.withResolvers<unknown>()
  const closed = Promise.withResolvers<void>()
  const end = (error: Error) => {
    ended ??= error
    opened.reject(ended)
    for (const { reject } of pending.values()) reject(ended)
    pending.clear()
    closed.resolve()
  }
  worker.on('message', (message: FromThread) => {
    switch (message.type) {
      case 'opened':
        return opened.resolve(message.greeting)
      case 'failed':
        return end(errorFromWire(message.error))
      case 'closed':
        return closed.resolve()
      case 'replies':
        for (const reply of message.replies) {
          const waiting = pending.get(reply.id)
          pending.delete(reply.id)
          if (reply.ok) waiting?.resolve(reply.value)
          else waiting?.reject(errorFromWire(reply.error))
        }
        return
      default:
        message satisfies never
    }
  })
  worker.on('error', (cause) => end(fault('internal', `${name} failed: ${messageOf(cause)}`, { cause })))
  worker.on('exit', () => end(fault('shutting-down', `${name} has ended`)))
  const post = (message: ToThread<Body>, transfer: readonly Transferable[] = []) =>
    worker.postMessage(message, transfer)
  // What is asked in one turn of the event loop goes in one message, so that the thread has it all at once.
  let outgoing: ThreadRequest<Body>[] = []
  let moving: Transferable[] = []
  const flush = () => {
    const [requests, transfer] = [outgoing, moving]
    outgoing = []
    moving = []
    if (ended !== null || requests.length === 0) return
    try {
      post(requests, transfer)
    } catch (cause) {
      // One of them holds what cannot be handed over, which is for whoever asked to hear, not the end of the process.
      const error = fault('internal', `${name} cannot be asked that: ${messageOf(cause)}`, { cause })
      for (const { id } of requests) {
        pending.get(id)?.reject(error)
        pending.delete(id)
      }
    }
  }

  const greeting = await opened.promise
  const close = async () => {
    flush()
    if (ended === null) post('close')
    await closed.promise
    await worker.terminate()
  }
  return {
    greeting,
    get hasEnded() {
      return ended !== null
    },
    request(body, transfer = []) {
      if (ended !== null) return Promise.reject(ended)
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const id = ++lastId
      pending.set(id, { resolve, reject })
      if (outgoing.length === 0) process.nextTick(flush)
      outgoing.push({ id, body })
      moving.push(...transfer)
      return promise
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
