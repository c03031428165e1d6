/** The presentation data values of P-DATA-TF units (PS3.8, sections 9.3.5.1 and E.2), read as their bytes come. */
import { ProtocolViolation } from './protocol-units.ts'

/** Some bytes of a command or of a dataset. */
export interface DataPiece {
  readonly contextId: number
  readonly isCommand: boolean
  /** Only lent: gone when the call returns that brought them. */
  readonly bytes: Buffer
  /** How many bytes of the same value are still to come. */
  readonly bytesAfter: number
  /** Whether the command or dataset ends with this value. */
  readonly isLast: boolean
}

/** The length, which counts the two bytes after it: the context and the control byte. */
const headBytes = 6

export class DataValueReader {
  readonly #onPiece: (piece: DataPiece) => void
  readonly #head = Buffer.alloc(headBytes)
  #bytesOfHead = 0
  /** What is still to come of the unit, and of the value that has begun in it. */
  #unitBytes = 0
  #valueBytes = 0

  /** @param onPiece given what has come of a value, and each empty one */
  constructor(onPiece: (piece: DataPiece) => void) {
    this.#onPiece = onPiece
  }

  /** Begins a unit; the one before has come whole. @throws `ProtocolViolation` if no value fits in it */
  begin(unitBytes: number): void {
    this.#unitBytes = unitBytes
    this.#checkRoom()
  }

  /** @param bytes of the unit that has begun, and of no other. @throws `ProtocolViolation`, and what `onPiece` throws */
  read(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const isInHead = this.#valueBytes === 0
      at = isInHead ? this.#readHead(bytes, at) : this.#readValue(bytes, at)
    }
  }

  #readHead(bytes: Buffer, start: number): number {
    let at = start
    while (this.#bytesOfHead < headBytes && at < bytes.length) this.#head[this.#bytesOfHead++] = bytes[at++]!
    this.#unitBytes -= at - start
    if (this.#bytesOfHead < headBytes) return at
    this.#bytesOfHead = 0
    this.#valueBytes = this.#head.readUInt32BE(0) - 2
    if (this.#valueBytes < 0 || this.#valueBytes > this.#unitBytes) throw brokenUnit()
    if (this.#valueBytes === 0) this.#give(bytes.subarray(at, at))
    return at
  }

  #readValue(bytes: Buffer, start: number): number {
    const end = Math.min(start + this.#valueBytes, bytes.length)
    this.#unitBytes -= end - start
    this.#valueBytes -= end - start
    this.#give(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
    return end
  }

  #give(bytes: Buffer): void {
    const control = this.#head.readUInt8(5)
    this.#onPiece({
      contextId: this.#head.readUInt8(4),
      isCommand: (control & 1) !== 0,
      bytes,
      bytesAfter: this.#valueBytes,
      isLast: (control & 2) !== 0,
    })
    if (this.#valueBytes === 0) this.#checkRoom()
  }

  /** Where a value may begin, there is the end of the unit or room for one. */
  #checkRoom(): void {
    if (this.#unitBytes > 0 && this.#unitBytes < headBytes) throw brokenUnit()
  }
}

const brokenUnit = () => new ProtocolViolation('it sent a broken data unit')
