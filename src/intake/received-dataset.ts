/** The bytes of one C-STORE as they come, kept as they are; counted, and let go of when they are too many. */
import { CollectedBytes } from '../lib/collected-bytes.ts'

export class ReceivedDataset {
  readonly transferSyntaxUid: string
  readonly #largestBytes: number
  readonly #onHeld: (change: number) => void
  readonly #collected = new CollectedBytes()
  #isTooLarge = false

  /** @param onHeld told that so much more memory is held, or less if negative */
  constructor(transferSyntaxUid: string, largestBytes: number, onHeld: (change: number) => void) {
    this.transferSyntaxUid = transferSyntaxUid
    this.#largestBytes = largestBytes
    this.#onHeld = onHeld
  }

  /** Not to be looked at when it has been let go of. */
  get chunks(): readonly Uint8Array[] {
    return this.#collected.pieces()
  }

  /** Then nothing of it is kept. */
  get isTooLarge(): boolean {
    return this.#isTooLarge
  }

  /** @param bytesAfter how many come after this piece until the end, if that is known */
  add(piece: Uint8Array, bytesAfter?: number): void {
    this.#isTooLarge ||= this.#collected.bytes + piece.length > this.#largestBytes
    if (this.#isTooLarge) {
      this.letGo()
      return
    }
    const heldBefore = this.#collected.blockBytes
    this.#collected.add(piece, bytesAfter)
    const more = this.#collected.blockBytes - heldBefore
    if (more > 0) this.#onHeld(more)
  }

  /** Keeps nothing any more; what had its chunks has to be done with them. */
  letGo(): void {
    const held = this.#collected.blockBytes
    this.#collected.letGo()
    if (held > 0) this.#onHeld(-held)
  }
}
