/**
 * The visits to an isolate: each waits until the isolate may go to work, and the time that it is at work is read
 * at the end of the last one.
 */
import type ivm from 'isolated-vm'
import type { Gate, Seat } from './gate.ts'

/**
 * Calls a function of isolated-vm with none of ours on the stack: it notes the places of all callers for the case
 * of an error, which takes longer than the rest of the call.
 */
async function withoutCallers<Result>(before: Promise<void>, bound: () => Promise<Result>): Promise<Result> {
  return before.then(bound)
}

export class Visits {
  readonly #isolate: ivm.Isolate
  readonly #gate: Gate
  #atWork = 0
  #seat: Seat | null = null
  #cpuMs = 0

  constructor(isolate: ivm.Isolate, gate: Gate) {
    this.#isolate = isolate
    this.#gate = gate
    this.#readCpu()
  }

  /** None is at work or waits. */
  get areOver(): boolean {
    return this.#atWork === 0
  }

  /** Processor time since the isolate was made; of one that is disposed of, when it was last read. */
  get cpuMs(): number {
    // To ask takes a while; with nobody in it, it stands still.
    if (!this.areOver) this.#readCpu()
    return this.#cpuMs
  }

  /** @param bound a function of isolated-vm, bound to all that it needs */
  async make<Result>(bound: () => Promise<Result>): Promise<Result> {
    this.#atWork++
    this.#seat ??= this.#gate.enter()
    try {
      return await withoutCallers(this.#seat.isTaken, bound)
    } finally {
      this.#atWork--
      if (this.areOver) this.#leave()
    }
  }

  #leave(): void {
    this.#readCpu()
    if (this.#seat !== null) this.#gate.leave(this.#seat)
    this.#seat = null
  }

  #readCpu(): void {
    if (!this.#isolate.isDisposed) this.#cpuMs = Number(this.#isolate.cpuTime) / 1e6
  }
}
