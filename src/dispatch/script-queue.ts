/**
 * The leases of one script that wait for their runs. Up to `concurrency` slots take from it: what has a key that
 * another slot is at work on stays behind, so that the order within a key holds.
 */
import type { Lease } from '../store/store.ts'

export class ScriptQueue {
  #waiting: Lease[] = []
  /** Slots that are at work on a key, and on how many of its leases. */
  readonly #atWork = new Map<string, { readonly slot: number; count: number }>()

  get length(): number {
    return this.#waiting.length
  }

  add(leases: readonly Lease[]): void {
    this.#waiting.push(...leases)
  }

  /** The next that this slot may begin; undefined: none now. */
  peek(slot: number): Lease | undefined {
    return this.#waiting.find(({ key }) => (this.#atWork.get(key)?.slot ?? slot) === slot)
  }

  /** Takes out what `peek` gave; `done` or `putBack` has to follow. */
  take(lease: Lease, slot: number): void {
    this.#remove(lease)
    const own = this.#atWork.get(lease.key) ?? { slot, count: 0 }
    own.count++
    this.#atWork.set(lease.key, own)
  }

  /** A lease that was taken has been dealt with. */
  done({ key }: Lease): void {
    const own = this.#atWork.get(key)
    if (own !== undefined && --own.count === 0) this.#atWork.delete(key)
  }

  /** Leases that were taken were not begun: they are first again. */
  putBack(leases: readonly Lease[]): void {
    for (const lease of leases) this.done(lease)
    this.#waiting.unshift(...leases)
  }

  /** Takes out all that wait with this key. */
  takeAllOf(key: string): Lease[] {
    const all = this.#waiting.filter((lease) => lease.key === key)
    for (const lease of all) this.#remove(lease)
    return all
  }

  #remove(lease: Lease): void {
    this.#waiting.splice(this.#waiting.indexOf(lease), 1)
  }
}
