/** Puts the messages of an association together again from their pieces (PS3.7, section 6.3). */
import { CollectedBytes } from '../lib/collected-bytes.ts'
import type { ContextAnswer } from './association-request.ts'
import { type Command, readCommand } from './command-set.ts'
import type { DataPiece } from './data-values.ts'
import { ProtocolViolation } from './protocol-units.ts'
import { ReceivedDataset } from './received-dataset.ts'

export interface Message {
  readonly contextId: number
  readonly command: Command
  /** Null if the command came alone. */
  readonly dataset: ReceivedDataset | null
}

/** Not counted as held: it is all that a connection may have of a command. */
const largestCommandBytes = 64 * 1024

export class MessageReader {
  readonly #largestBytes: number
  readonly #onHeld: (change: number) => void
  /** What has come of a command that is not whole. */
  readonly #command = new CollectedBytes()
  #commandContextId = 0
  /** Its dataset has not come whole. */
  #open: (Message & { readonly dataset: ReceivedDataset }) | null = null

  /**
   * @param largestBytes of a dataset; of a larger one nothing is kept
   * @param onHeld told how much more memory datasets take, or less
   */
  constructor(largestBytes: number, onHeld: (change: number) => void) {
    this.#largestBytes = largestBytes
    this.#onHeld = onHeld
  }

  /** @returns the message that the piece completes, if it does. @throws `ProtocolViolation` */
  add(piece: DataPiece, context: ContextAnswer): Message | null {
    const { isCommand, isLast, bytes, bytesAfter } = piece
    if (bytes.length === 0 && !isLast) throw new ProtocolViolation('it sent an empty fragment')
    if (isCommand) return this.#addCommand(piece, context)
    const open = this.#open
    if (open?.contextId !== context.id) throw new ProtocolViolation('it sent a dataset without a command')
    open.dataset.add(bytes, isLast ? bytesAfter : undefined)
    if (!isLast || bytesAfter > 0) return null
    this.#open = null
    return open
  }

  /** Keeps nothing any more. */
  letGo(): void {
    this.#command.letGo()
    this.#open?.dataset.letGo()
    this.#open = null
  }

  #addCommand(
    { bytes, bytesAfter, isLast }: DataPiece,
    { id, transferSyntax }: ContextAnswer,
  ): Message | null {
    const begun = this.#command
    if (this.#open !== null) throw new ProtocolViolation('it sent a command inside a dataset')
    if (begun.bytes + bytes.length + bytesAfter > largestCommandBytes) {
      throw new ProtocolViolation('it sent an endless command')
    }
    if (begun.bytes > 0 && this.#commandContextId !== id) {
      throw new ProtocolViolation('it sent a command in two contexts')
    }
    this.#commandContextId = id
    const isWhole = isLast && bytesAfter === 0
    if (!isWhole || begun.bytes > 0) begun.add(bytes, isLast ? bytesAfter : undefined)
    if (!isWhole) return null
    const command = readCommand(begun.bytes === 0 ? bytes : Buffer.concat(begun.pieces()))
    begun.letGo()
    if (!command.hasDataset) return { contextId: id, command, dataset: null }
    const dataset = new ReceivedDataset(transferSyntax, this.#largestBytes, this.#onHeld)
    this.#open = { contextId: id, command, dataset }
    return null
  }
}
