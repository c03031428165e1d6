/**
 * The calls of one run take turns, so that many at once do not hold up the server: few are at work at a time, and
 * one that had to wait begins when everybody else has been listened to.
 */
import { setImmediate as everybodyElse } from 'node:timers/promises'

const mostAtWork = 4

export class Turns {
  #atWork = 0
  readonly #waiting: (() => void)[] = []

  /** Resolves when the caller may begin; what it returns ends the turn, the first time that it is called. */
  async take(): Promise<() => void> {
    if (this.#atWork >= mostAtWork) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
      await everybodyElse()
    } else this.#atWork++
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const next = this.#waiting.shift()
      if (next === undefined) this.#atWork--
      else next()
    }
  }
}
