/**
 * The runs of one isolate that were handed over ahead: each begins when the one that it follows has ended well,
 * and not at all if that did not, because the engine decides then what comes next.
 */
import type { ToChild } from '../protocol.ts'

export interface HandedRun {
  readonly message: Extract<ToChild, { type: 'run' }>
  readonly body: string
}

export interface LineEnds {
  begin(run: HandedRun): void
  refuse(run: HandedRun): void
}

export class Line {
  readonly #ends: LineEnds
  #atWork: number | null = null
  /** The last run to end, if it ended well. */
  #lastWell: number | null = null
  #waiting: HandedRun[] = []

  constructor(ends: LineEnds) {
    this.#ends = ends
  }

  add(run: HandedRun): void {
    const { after } = run.message
    const last = this.#waiting.at(-1)?.message.id ?? this.#atWork ?? this.#lastWell
    if (after !== null && after !== last) this.#ends.refuse(run)
    else if (this.#atWork !== null) this.#waiting.push(run)
    else this.#begin(run)
  }

  /** To be told when the one at work has ended. */
  ended(id: number, isWell: boolean): void {
    this.#atWork = null
    this.#lastWell = isWell ? id : null
    if (isWell) {
      const next = this.#waiting.shift()
      if (next !== undefined) this.#begin(next)
    } else {
      for (const run of this.#waiting.splice(0)) this.#ends.refuse(run)
    }
  }

  #begin(run: HandedRun): void {
    this.#atWork = run.message.id
    this.#ends.begin(run)
  }
}
