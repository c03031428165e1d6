/** A thread that is started when it is first needed, and anew when it has failed. */
import type { Transferable } from 'node:worker_threads'
import { startThread, type Thread, type ThreadOptions } from './thread.ts'

export class LastingThread<Body> {
  readonly #options: ThreadOptions
  #thread: Promise<Thread<Body>> | null = null

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /**
   * @param transfer what moves to the thread, and is of no use here afterwards
   * @throws what the thread answers, or why there is none
   */
  async request(body: Body, transfer: readonly Transferable[] = []): Promise<unknown> {
    this.#thread ??= startThread<Body>(this.#options)
    const started = this.#thread
    try {
      return await (await started).request(body, transfer)
    } catch (thrown) {
      const thread = await started.catch(() => null)
      if ((thread === null || thread.hasEnded) && this.#thread === started) this.#thread = null
      throw thrown
    }
  }

  /** Ends when the requests made before have been answered. */
  async close(): Promise<void> {
    const thread = await this.#thread?.catch(() => null)
    this.#thread = null
    await thread?.close()
  }
}
