/**
 * Collects bytes that come in many pieces into a few blocks of memory, each larger than the one before. What
 * it takes in memory is known, however small the pieces, and is given back by hand.
 */
import { freeMemory } from './free-memory.ts'

/** Whoever has sent a single byte may cost that much; less would not be given back by hand. */
export const smallestBlockBytes = 16 * 1024
const largestBlockBytes = 1024 * 1024

export class CollectedBytes {
  /** All but the last are full. */
  #blocks: Uint8Array[] = []
  #bytes = 0
  #blockBytes = 0

  /** What was collected. */
  get bytes(): number {
    return this.#bytes
  }

  /** What that takes in memory. */
  get blockBytes(): number {
    return this.#blockBytes
  }

  /**
   * Copies a piece; whose it is may do with it what he likes afterwards.
   * @param bytesAfter how many come after it until the end, if that is known: no more memory is taken then
   */
  add(piece: Uint8Array, bytesAfter = Number.POSITIVE_INFINITY): void {
    for (let done = 0; done < piece.length; ) {
      if (this.#bytes === this.#blockBytes) this.#addBlock(piece.length - done, bytesAfter)
      const room = this.#blockBytes - this.#bytes
      const part = done === 0 && piece.length <= room ? piece : piece.subarray(done, done + room)
      const block = this.#blocks.at(-1)!
      block.set(part, block.length - room)
      this.#bytes += part.length
      done += part.length
    }
  }

  /** What was collected, in its order; not to be looked at when it has been let go of. */
  pieces(): Uint8Array[] {
    const room = this.#blockBytes - this.#bytes
    return this.#blocks.map((block, at) =>
      room > 0 && at === this.#blocks.length - 1 ? block.subarray(0, block.length - room) : block,
    )
  }

  /** Begins anew with nothing. */
  letGo(): void {
    freeMemory(this.#blocks)
    this.#blocks = []
    this.#bytes = 0
    this.#blockBytes = 0
  }

  /**
   * As much again as there is, or as has just come: many bytes need few blocks, and what is taken is never
   * far more than what was sent.
   */
  #addBlock(bytesHere: number, bytesAfter: number): void {
    const again = Math.max(this.#blockBytes, bytesHere, smallestBlockBytes)
    const size = Math.min(again, largestBlockBytes, bytesHere + bytesAfter)
    // Memory of its own, not a part of what others use: only that can be given back.
    this.#blocks.push(Buffer.allocUnsafeSlow(size))
    this.#blockBytes += size
  }
}
