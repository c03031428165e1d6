/**
 * The calls of one run take turns, so that many at once do not hold up the server: one that had to wait begins when
 * everybody else has been listened to.
 */
import { setImmediate as everybodyElse } from 'node:timers/promises'

export class Turns {
  #isTaken = false
  readonly #waiting: (() => void)[] = []

  /** Resolves when the caller may begin; what it returns ends the turn, the first time that it is called. */
  async take(): Promise<() => void> {
    if (this.#isTaken) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
      await everybodyElse()
    } else this.#isTaken = true
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const next = this.#waiting.shift()
      if (next === undefined) this.#isTaken = false
      else next()
    }
  }
}
