/** The bytes of one C-STORE as they come, kept as they are; counted, and let go of when they are too many. */
import { Writable } from 'node:stream'

export class ReceivedDataset extends Writable {
  readonly transferSyntaxUid: string
  readonly #largestBytes: number
  readonly #onBytes: (bytes: number) => void
  #chunks: Uint8Array[] = []
  #isTooLarge = false
  #heldBytes = 0

  /** @param onBytes called with how many more, or fewer, bytes are held */
  constructor(transferSyntaxUid: string, largestBytes: number, onBytes: (bytes: number) => void) {
    // The protocol's own waiting for a drain would mix up messages; reading is held back at the socket.
    super({ highWaterMark: Number.MAX_SAFE_INTEGER, decodeStrings: false })
    this.transferSyntaxUid = transferSyntaxUid
    this.#largestBytes = largestBytes
    this.#onBytes = onBytes
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks
  }

  get isTooLarge(): boolean {
    return this.#isTooLarge
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.#isTooLarge) {
      this.#chunks.push(chunk)
      this.#heldBytes += chunk.length
      this.#onBytes(chunk.length)
      if (this.#heldBytes > this.#largestBytes) {
        this.#isTooLarge = true
        this.letGo()
      }
    }
    done()
  }

  /** Keeps nothing any more. */
  letGo(): void {
    this.#onBytes(-this.#heldBytes)
    this.#heldBytes = 0
    this.#chunks = []
  }
}
