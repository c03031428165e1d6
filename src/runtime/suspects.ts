/**
 * Runs that may have ended a shared child: each is tried again in a child of its own, until the one that does it
 * again is known. Those that were not tried by then are cleared.
 */
import type { ChildProcess } from './child-process.ts'
import type { Children } from './children.ts'
import type { Attempt } from './lane.ts'

/** How many are tried at a time. A suspect may wait for long, and the others should not wait for it. */
const seats = 4

export class Suspects {
  readonly #children: Pick<Children, 'startOwn'>
  /** Dead children of which it is known what ended them. */
  readonly #solved = new WeakSet<ChildProcess>()
  readonly #queue: (() => void)[] = []
  #taken = 0

  constructor(children: Pick<Children, 'startOwn'>) {
    this.#children = children
  }

  /**
   * @param dead the child that all of them were in
   * @param work the run, begun anew; what ends its child is then this run's own doing
   * @param mayBeCleared when another is found to have ended that child
   * @returns null if it was cleared meanwhile, or the runtime is closed
   */
  async try(
    dead: ChildProcess,
    work: (child: ChildProcess) => Promise<Attempt>,
    mayBeCleared: boolean,
  ): Promise<Attempt | null> {
    await this.#takeSeat()
    try {
      if (mayBeCleared && this.#solved.has(dead)) return null
      const child = await this.#children.startOwn().catch(() => null)
      if (child === null) return null
      try {
        const attempt = await work(child)
        if (attempt.end.kind === 'lost' && attempt.end.blame === 'this') this.#solved.add(dead)
        return attempt
      } finally {
        await child.close()
      }
    } finally {
      this.#leaveSeat()
    }
  }

  async #takeSeat(): Promise<void> {
    if (this.#taken < seats) {
      this.#taken++
      return
    }
    await new Promise<void>((resolve) => this.#queue.push(resolve))
  }

  /** The seat goes to the next in the queue, if there is one. */
  #leaveSeat(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#taken--
    else next()
  }
}
