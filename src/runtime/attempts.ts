/**
 * Brings a task to an end of its own, whatever others do to the child that it is in.
 */
import { caps } from './caps.ts'
import type { ChildProcess } from './child-process.ts'
import type { Children } from './children.ts'
import type { Conduct } from './conduct.ts'
import { Homes } from './homes.ts'
import type { Attempt, Lane } from './lane.ts'
import type { RunRecord } from './run-record.ts'
import type { Program } from './runtime.ts'
import { Suspects } from './suspects.ts'

export class Attempts {
  readonly #homes: Homes
  readonly #suspects: Suspects
  #isClosed = false

  constructor(children: Children, conduct: Pick<Conduct, 'isAlone' | 'isLooping'>) {
    this.#homes = new Homes(children, conduct)
    this.#suspects = new Suspects(children)
  }

  /**
   * Tries until the task has ended, or is to blame for the end of a child. One that another task took down with it
   * is begun again: beside others where it is known which that was, by itself where it is not, or the second time. A
   * load always by itself: one that is not over when a child ends is late, and there may be several at a start.
   * @param record null for a load
   */
  async settle(
    lane: Lane,
    record: RunRecord | null,
    work: (child: ChildProcess) => Promise<Attempt>,
  ): Promise<Attempt> {
    let attempt = closedAttempt
    for (let tries = 0; !this.#isClosed; tries++) {
      const child = await this.#homes.childFor(lane.program).catch(() => null)
      if (child === null) break
      attempt = await work(child)
      const { end } = attempt
      // A load is refused for good: what may have been an accident does not count the first time.
      const mayBeAccident = record === null && tries === 0 && end.kind === 'lost' && end.outcome === 'crashed'
      if (end.kind === 'ended' || (end.blame === 'this' && !mayBeAccident)) break
      // A child that is being killed takes nothing more, and is the one in use until it is gone.
      await child.gone
      if (this.#isClosed) break
      record?.beginAgain()
      if (record !== null && tries === 0 && end.blame === 'another') continue
      const alone = await this.#suspects.try(child, work, record !== null)
      if (alone === null) continue
      attempt = alone
      break
    }
    return attempt
  }

  /** A version is unloaded: where it lived by itself, that is ended. */
  async leave(program: Program): Promise<void> {
    await this.#homes.leave(program)
  }

  /** What is at work may end; nothing is begun again. */
  close(): void {
    this.#isClosed = true
  }
}

/** Whether an event cannot be handed to a child. */
export const isTooLong = (event: string) => Buffer.byteLength(event) > caps.eventBytes

const closedAttempt: Attempt = {
  what: 'The run',
  end: {
    kind: 'lost',
    blame: 'another',
    outcome: 'crashed',
    reason: 'The runtime was closed',
  },
  durationMs: 0,
}

export const eventTooLong: Attempt = {
  what: 'The run',
  end: {
    kind: 'ended',
    outcome: 'threw',
    body: JSON.stringify({
      name: 'RangeError',
      message: `The event is longer than ${caps.eventBytes / 1024 / 1024} MB as JSON`,
      stack: '',
    }),
    cpuMs: 0,
    memoryBytes: 0,
    disposed: false,
  },
  durationMs: 0,
}
