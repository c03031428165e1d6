/**
 * Whether a child holds too much memory: more than any child may, or more than its isolates can account for while it
 * has nothing to do. What attacks have left behind must not be charged to whoever comes next.
 */

/** What a child may hold beside its isolates while it has nothing to do, and for how many looks. */
const idleMb = 128
const idleLooks = 10

export class MemoryWatch {
  readonly #mostMb: number
  /** Heap limits of the isolates that are in it. */
  readonly #isolatesMb = new Map<string, number>()
  #idleLooks = 0

  constructor(mostMb: number) {
    this.#mostMb = mostMb
  }

  isolateMade(name: string, heapMb: number): void {
    this.#isolatesMb.set(name, heapMb)
  }

  isolateGone(name: string): void {
    this.#isolatesMb.delete(name)
  }

  /**
   * @param megabytes resident memory now
   * @returns why the child has to end, and whether what it is at is to blame; null: it may go on
   */
  look(megabytes: number, isIdle: boolean): { reason: string; isOfTask: boolean } | null {
    if (megabytes > this.#mostMb) {
      return { reason: `It used ${megabytes} MB, more than ${this.#mostMb}`, isOfTask: true }
    }
    const heapsMb = [...this.#isolatesMb.values()].reduce((sum, heapMb) => sum + heapMb, 0)
    const isTooMuch = megabytes > Math.min(idleMb + heapsMb, this.#mostMb * 0.75)
    this.#idleLooks = isIdle && isTooMuch ? this.#idleLooks + 1 : 0
    if (this.#idleLooks < idleLooks) return null
    return { reason: `It held ${megabytes} MB with nothing to do`, isOfTask: false }
  }
}
