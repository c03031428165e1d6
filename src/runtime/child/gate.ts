/**
 * Lets as many isolates be at work at a time as there are cores. isolated-vm has threads for one more, and for each
 * beyond that it makes one that ends with the visit: that costs as much as a short run, and leaves a little memory
 * behind each time. An isolate at work for long does not count any more, so that scripts that loop hold up nobody;
 * but of one script never more are at work than there are cores, so that the others share the processor with so
 * many and not with all that it may have at a time.
 */
import { availableParallelism } from 'node:os'

/** After so long an isolate at work does not count any more. */
const longMs = 5

export interface Seat {
  /** Resolves when the isolate may go to work; rejects when it is given up before. */
  readonly isTaken: Promise<void>
}

interface KeptSeat extends Seat {
  readonly owner: string
  readonly take: () => void
  readonly giveUp: (reason: Error) => void
  sinceMs: number
}

export class Gate {
  readonly #seats: number
  #waiting: KeptSeat[] = []
  /** At work, and not for long. */
  readonly #taken = new Set<KeptSeat>()
  /** At work, for however long. */
  readonly #atWork = new Set<KeptSeat>()
  #timer: NodeJS.Timeout | null = null

  /** @param seats isolates at work at a time: more than there are cores only wait for each other */
  constructor(seats = availableParallelism()) {
    this.#seats = seats
  }

  /**
   * A seat for an isolate that wants to work; they are given in the order in which they were asked for.
   * @param owner whose isolate it is: nobody has more at work than there are seats
   */
  enter(owner: string): Seat {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const seat = { owner, isTaken: promise, take: resolve, giveUp: reject, sinceMs: 0 }
    this.#waiting.push(seat)
    this.#giveAway()
    return seat
  }

  /** To be called once for each seat: when the isolate has no work any more, or is gone. */
  leave(seat: Seat): void {
    const kept = seat as KeptSeat
    this.#taken.delete(kept)
    if (!this.#atWork.delete(kept)) {
      this.#waiting = this.#waiting.filter((each) => each !== kept)
      // It may be that nobody waits for it.
      kept.isTaken.catch(() => {})
      kept.giveUp(new Error('It was given up'))
    }
    this.#giveAway()
  }

  #giveAway(): void {
    while (this.#taken.size < this.#seats) {
      const next = this.#waiting.find(({ owner }) => this.#atWorkOf(owner) < this.#seats)
      if (next === undefined) break
      this.#waiting.splice(this.#waiting.indexOf(next), 1)
      next.sinceMs = performance.now()
      this.#taken.add(next)
      this.#atWork.add(next)
      next.take()
    }
    // With no seat taken, who waits does so for isolates of its own owner, which say when they leave.
    if (this.#waiting.length > 0 && this.#taken.size > 0)
      this.#timer ??= setTimeout(() => this.#look(), longMs)
  }

  #atWorkOf(owner: string): number {
    let count = 0
    for (const seat of this.#atWork) if (seat.owner === owner) count++
    return count
  }

  #look(): void {
    this.#timer = null
    const nowMs = performance.now()
    for (const seat of this.#taken) if (nowMs - seat.sinceMs >= longMs) this.#taken.delete(seat)
    this.#giveAway()
  }
}
