/** Puts the messages of an association together again from their fragments (PS3.7, section 6.3). */
import type { ContextAnswer } from './association-request.ts'
import { type Command, readCommand } from './command-set.ts'
import { type Fragment, ProtocolViolation } from './protocol-units.ts'
import { fragmentCostBytes, ReceivedDataset } from './received-dataset.ts'

export interface Message {
  readonly contextId: number
  readonly command: Command
  /** Null if the command came alone. */
  readonly dataset: ReceivedDataset | null
}

const largestCommandBytes = 64 * 1024

export class MessageReader {
  readonly #largestBytes: number
  readonly #onHeld: (change: number) => void
  #commandParts: Buffer[] = []
  #commandBytes = 0
  /** Of the command whose parts are here. */
  #commandContextId = 0
  /** Its dataset has not come whole. */
  #open: (Message & { readonly dataset: ReceivedDataset }) | null = null

  /**
   * @param largestBytes of a dataset; of a larger one nothing is kept
   * @param onHeld told how much more of datasets is held, or less
   */
  constructor(largestBytes: number, onHeld: (change: number) => void) {
    this.#largestBytes = largestBytes
    this.#onHeld = onHeld
  }

  /** @returns the message that the fragment completes, if it does. @throws `ProtocolViolation` */
  add({ isCommand, isLast, value }: Fragment, context: ContextAnswer): Message | null {
    if (value.length === 0 && !isLast) throw new ProtocolViolation('it sent an empty fragment')
    if (isCommand) return this.#addCommand(value, isLast, context)
    const open = this.#open
    if (open?.contextId !== context.id) throw new ProtocolViolation('it sent a dataset without a command')
    open.dataset.add(value)
    if (!isLast) return null
    this.#open = null
    return open
  }

  /** Keeps nothing any more. */
  letGo(): void {
    this.#open?.dataset.letGo()
    this.#open = null
  }

  #addCommand(value: Buffer, isLast: boolean, { id, transferSyntax }: ContextAnswer): Message | null {
    this.#commandBytes += value.length + fragmentCostBytes
    if (this.#open !== null) throw new ProtocolViolation('it sent a command inside a dataset')
    if (this.#commandBytes > largestCommandBytes) throw new ProtocolViolation('it sent an endless command')
    if (this.#commandParts.length > 0 && this.#commandContextId !== id) {
      throw new ProtocolViolation('it sent a command in two contexts')
    }
    this.#commandContextId = id
    this.#commandParts.push(value)
    if (!isLast) return null
    const command = readCommand(Buffer.concat(this.#commandParts))
    this.#commandParts = []
    this.#commandBytes = 0
    if (!command.hasDataset) return { contextId: id, command, dataset: null }
    const dataset = new ReceivedDataset(transferSyntax, this.#largestBytes, this.#onHeld)
    this.#open = { contextId: id, command, dataset }
    return null
  }
}
