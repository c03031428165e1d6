/** The bytes of one C-STORE as they come, kept as they are; counted, and let go of when they are too many. */
import { Writable } from 'node:stream'
import type dimse from 'dcmjs-dimse'

export interface ByteCount {
  /** So many more bytes came. */
  arrived(bytes: number): void
  /** So many more are held, or fewer if negative. */
  held(change: number): void
}

export class ReceivedDataset extends Writable {
  readonly transferSyntaxUid: string
  readonly presentationContextId: number
  readonly #largestBytes: number
  readonly #count: ByteCount
  #chunks: Uint8Array[] = []
  #heldBytes = 0
  #isTooLarge = false

  /** @param context the one that the dataset comes on */
  constructor(context: dimse.association.PresentationContext, largestBytes: number, count: ByteCount) {
    // The library's waiting for a drain would mix up messages; reading is held back at the socket instead.
    super({ highWaterMark: Number.MAX_SAFE_INTEGER, decodeStrings: false })
    this.transferSyntaxUid = context.getAcceptedTransferSyntaxUid() ?? ''
    this.presentationContextId = context.getPresentationContextId()
    this.#largestBytes = largestBytes
    this.#count = count
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks
  }

  /** Then nothing of it is kept. */
  get isTooLarge(): boolean {
    return this.#isTooLarge
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#count.arrived(chunk.length)
    this.#isTooLarge ||= this.#heldBytes + chunk.length > this.#largestBytes
    if (this.#isTooLarge) {
      this.letGo()
    } else {
      this.#chunks.push(chunk)
      this.#heldBytes += chunk.length
      this.#count.held(chunk.length)
    }
    done()
  }

  /** Keeps nothing any more. */
  letGo(): void {
    const bytes = this.#heldBytes
    this.#chunks = []
    this.#heldBytes = 0
    if (bytes > 0) this.#count.held(-bytes)
  }
}
