/**
 * Whether a child holds too much memory: more than any child may, or more than its isolates can account for while it
 * has nothing to do. What attacks have left behind must not be charged to whoever comes next.
 */

/** Between two looks at a child that is at work, or that may hold too much. */
const lookMs = 100
/** At one that has nothing to do: each look wakes a processor. */
const idleLookMs = 1_000
/** What a child may hold beside its isolates while it has nothing to do, and for how many looks. */
const idleMb = 128
const idleLooks = 10

export interface MemoryWatchParts {
  readonly mostMb: number
  /** Resident memory now, in megabytes. */
  readonly residentMb: () => number
  readonly isIdle: () => boolean
  /** It has to end. @param isOfTask whether what it is at is to blame */
  readonly onTooMuch: (reason: string, isOfTask: boolean) => void
}

export class MemoryWatch {
  readonly #parts: MemoryWatchParts
  /** Heap limits of the isolates that are in it. */
  readonly #isolatesMb = new Map<string, number>()
  #idleLooks = 0
  #timer: NodeJS.Timeout | null = null
  #isResting = false

  constructor(parts: MemoryWatchParts) {
    this.#parts = parts
    this.#lookIn(lookMs)
  }

  /** It has something to do now. */
  wake(): void {
    if (this.#isResting) this.#lookIn(lookMs)
  }

  isolateMade(name: string, heapMb: number): void {
    this.#isolatesMb.set(name, heapMb)
  }

  isolateGone(name: string): void {
    this.#isolatesMb.delete(name)
  }

  close(): void {
    this.#isResting = false
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #lookIn(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#isResting = ms > lookMs
    this.#timer = setTimeout(() => this.#look(), ms)
  }

  #look(): void {
    const { mostMb, residentMb, isIdle, onTooMuch } = this.#parts
    const megabytes = residentMb()
    if (megabytes > mostMb) onTooMuch(`It used ${megabytes} MB, more than ${mostMb}`, true)
    const heapsMb = [...this.#isolatesMb.values()].reduce((sum, heapMb) => sum + heapMb, 0)
    const isTooMuch = megabytes > Math.min(idleMb + heapsMb, mostMb * 0.75)
    const isResting = isIdle()
    this.#idleLooks = isResting && isTooMuch ? this.#idleLooks + 1 : 0
    if (this.#idleLooks >= idleLooks) onTooMuch(`It held ${megabytes} MB with nothing to do`, false)
    this.#lookIn(isResting && !isTooMuch ? idleLookMs : lookMs)
  }
}
