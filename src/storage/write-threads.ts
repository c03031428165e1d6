/**
 * The threads that write files: while one waits for the disk, the other prepares the next file. The second one is
 * started when there is something for both.
 */
import type { Transferable } from 'node:worker_threads'
import { LastingThread } from '../lib/lasting-thread.ts'
import type { WriteRequest } from './write-thread.ts'

const count = 2

interface Writer {
  readonly thread: LastingThread<WriteRequest>
  /** Files that it has not finished. */
  inHand: number
}

export class WriteThreads {
  readonly #writers: readonly Writer[]

  /** @param crashAt name of a crash point; only in tests */
  constructor(crashAt: string | null) {
    this.#writers = Array.from({ length: count }, () => ({
      thread: new LastingThread<WriteRequest>({
        name: 'The thread that writes files',
        entry: new URL('./write-thread.ts', import.meta.url),
        data: { crashAt },
      }),
      inHand: 0,
    }))
  }

  /**
   * Resolves when the file is durable.
   * @param transfer what moves to the thread, and is of no use here afterwards
   */
  async write(request: WriteRequest, transfer: readonly Transferable[]): Promise<void> {
    const writer = this.#writers.reduce((least, each) => (each.inHand < least.inHand ? each : least))
    writer.inHand++
    try {
      await writer.thread.request(request, transfer)
    } finally {
      writer.inHand--
    }
  }

  /** Ends when what was to be written before is durable. */
  async close(): Promise<void> {
    await Promise.all(this.#writers.map(({ thread }) => thread.close()))
  }
}
