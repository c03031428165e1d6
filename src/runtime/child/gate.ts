/**
 * Lets as many isolates be at work at a time as there are cores. isolated-vm has threads for one more, and for each
 * beyond that it makes one that ends with the visit: that costs as much as a short run, and leaves a little memory
 * behind each time. An isolate at work for long does not count, so that scripts that loop hold up nobody.
 */
import { availableParallelism } from 'node:os'

/** After so long an isolate at work does not count any more. */
const longMs = 5

export interface Seat {
  /** Resolves when the isolate may go to work. */
  readonly isTaken: Promise<void>
}

interface KeptSeat extends Seat {
  readonly take: () => void
  sinceMs: number
}

const atOnce = Promise.resolve()

export class Gate {
  #free: number
  readonly #waiting: KeptSeat[] = []
  readonly #taken = new Set<Seat>()
  #timer: NodeJS.Timeout | null = null

  /** @param seats isolates at work at a time: more than there are cores only wait for each other */
  constructor(seats = availableParallelism()) {
    this.#free = seats
  }

  /** A seat for an isolate that wants to work; they are given in the order in which they were asked for. */
  enter(): Seat {
    if (this.#free > 0) {
      this.#free--
      const seat = { isTaken: atOnce, take: () => {}, sinceMs: performance.now() }
      this.#taken.add(seat)
      return seat
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const seat = { isTaken: promise, take: resolve, sinceMs: 0 }
    this.#waiting.push(seat)
    this.#timer ??= setTimeout(() => this.#look(), longMs)
    return seat
  }

  /** To be called once for each seat that was taken, when the isolate has no work. */
  leave(seat: Seat): void {
    if (this.#taken.delete(seat)) this.#giveAway()
  }

  #giveAway(): void {
    const next = this.#waiting.shift()
    if (next === undefined) {
      this.#free++
      return
    }
    next.sinceMs = performance.now()
    this.#taken.add(next)
    next.take()
  }

  #look(): void {
    this.#timer = null
    const nowMs = performance.now()
    for (const seat of [...this.#taken] as KeptSeat[]) if (nowMs - seat.sinceMs >= longMs) this.leave(seat)
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#look(), longMs)
  }
}
