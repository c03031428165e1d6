/** The bytes of one C-STORE as they come, kept as they are; counted, and let go of when they are too many. */

/** What a fragment takes in memory besides its bytes: many tiny ones are not to pass for nothing. */
export const fragmentCostBytes = 256

export class ReceivedDataset {
  readonly transferSyntaxUid: string
  readonly #largestBytes: number
  readonly #onHeld: (change: number) => void
  #chunks: Uint8Array[] = []
  #bytes = 0
  /** The bytes, and what their pieces take besides. */
  #heldBytes = 0
  #isTooLarge = false

  /** @param onHeld told that so many more bytes are held, or fewer if negative */
  constructor(transferSyntaxUid: string, largestBytes: number, onHeld: (change: number) => void) {
    this.transferSyntaxUid = transferSyntaxUid
    this.#largestBytes = largestBytes
    this.#onHeld = onHeld
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks
  }

  /** Then nothing of it is kept. */
  get isTooLarge(): boolean {
    return this.#isTooLarge
  }

  add(chunk: Buffer): void {
    this.#isTooLarge ||= this.#bytes + chunk.length > this.#largestBytes
    if (this.#isTooLarge) {
      this.letGo()
      return
    }
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#heldBytes += chunk.length + fragmentCostBytes
    this.#onHeld(chunk.length + fragmentCostBytes)
  }

  /** Keeps nothing any more. */
  letGo(): void {
    const bytes = this.#heldBytes
    this.#chunks = []
    this.#heldBytes = 0
    if (bytes > 0) this.#onHeld(-bytes)
  }
}
