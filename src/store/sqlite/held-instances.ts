/**
 * Which instances are surely not held, known without asking the database: the sender of such a one can be answered
 * before it has its rows. Filled from the index, some at a time, from the first arrival on; until that is done, any
 * may be held.
 */
import { BloomFilter } from '../../lib/bloom-filter.ts'
import type { Connection } from './connection.ts'

/** In one request, so that what is asked of the reading thread meanwhile hardly waits. */
const atATime = 5_000

export class HeldInstances {
  readonly #reader: Connection
  readonly #filter = new BloomFilter()
  #state: 'empty' | 'filling' | 'full' = 'empty'

  constructor(reader: Connection) {
    this.#reader = reader
  }

  /** False: it is not held, and none is on its way. */
  mayHave(id: string): boolean {
    return this.#state !== 'full' || this.#filter.mayHave(id)
  }

  /** To be called with every arrival, before it is durable. @returns whether it is surely not held */
  add(id: string): boolean {
    if (this.#state === 'empty') void this.#fill()
    return this.#filter.add(id) && this.#state === 'full'
  }

  /**
   * What comes meanwhile is added by itself. Nothing is ever taken out: an instance that was deleted may be held, as
   * far as this is known here, and the database is asked.
   */
  async #fill(): Promise<void> {
    this.#state = 'filling'
    try {
      for (let after: string | null = ''; after !== null; ) after = await this.#fillFrom(after)
      this.#state = 'full'
    } catch {
      // It has ended, or the database cannot be read, which others say: any may be held until it can.
      this.#state = 'empty'
    }
  }

  /** @returns the last of the page; null if there are no more */
  async #fillFrom(after: string): Promise<string | null> {
    const ids = (await this.#reader.request('instancesAfter', [after, atATime])) as readonly string[]
    for (const id of ids) this.#filter.add(id)
    return ids.at(-1) ?? null
  }
}
