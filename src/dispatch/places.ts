/** So many at a time; those that come later wait for a place, in their order. */

export class Places {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /**
   * @param signal ends the wait
   * @returns gives the place back, to be called once; null: the wait was ended
   */
  async take(signal: AbortSignal): Promise<(() => void) | null> {
    if (this.#free > 0) this.#free--
    else if (!(await this.#turn(signal))) return null
    return () => this.#leave()
  }

  /** False: the wait was ended before its turn came. */
  #turn(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const take = () => {
      signal.removeEventListener('abort', giveUp)
      resolve(true)
    }
    const giveUp = () => {
      this.#waiting.delete(take)
      resolve(false)
    }
    if (signal.aborted) return Promise.resolve(false)
    this.#waiting.add(take)
    signal.addEventListener('abort', giveUp, { once: true })
    return promise
  }

  /** The place goes to the one that has waited longest. */
  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
