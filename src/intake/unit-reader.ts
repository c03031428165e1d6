/**
 * Cuts the bytes of a connection into protocol data units. The bodies of those that carry data are handed on
 * as they come, and only the others, which are short, are put together.
 */
import { CollectedBytes } from '../lib/collected-bytes.ts'
import { ProtocolViolation, unitType } from './protocol-units.ts'

/** Told what comes. All bytes are only lent: gone when the call returns. */
export interface UnitListener {
  /** A unit that carries data begins, with so many bytes. */
  onDataUnit(bodyBytes: number): void
  /** Some bytes of the body of that unit. */
  onData(bytes: Buffer): void
  /** Any other unit is whole. */
  onUnit(type: number, body: Buffer): void
}

const headBytes = 6
/** Far more than is announced as the longest; some senders do not look. */
const longestDataBytes = 4 * 1024 * 1024
/** A request with all 128 contexts and dozens of transfer syntaxes in each is shorter. */
const longestBodyBytes = 512 * 1024

export class UnitReader {
  readonly #listener: UnitListener
  readonly #head = Buffer.alloc(headBytes)
  #bytesOfHead = 0
  /** What is still to come of the body. */
  #bodyBytes = 0
  readonly #body = new CollectedBytes()
  #isOver = false

  constructor(listener: UnitListener) {
    this.#listener = listener
  }

  /**
   * Takes bytes as they come, which may be used for others afterwards.
   * @throws `ProtocolViolation` as soon as no unit can begin like this, and what the listener throws
   */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#isOver; ) {
      at = this.#bytesOfHead < headBytes ? this.#readHead(chunk, at) : this.#readBody(chunk, at)
    }
  }

  /** Keeps nothing, and passes over what may still come. */
  end(): void {
    this.#isOver = true
    this.#body.letGo()
  }

  #readHead(chunk: Buffer, start: number): number {
    let at = start
    while (this.#bytesOfHead < headBytes && at < chunk.length) this.#head[this.#bytesOfHead++] = chunk[at++]!
    if (this.#bytesOfHead < headBytes) return at
    const type = this.#head.readUInt8(0)
    this.#bodyBytes = bodyBytesOf(type, this.#head)
    if (type === unitType.dataTransfer) this.#listener.onDataUnit(this.#bodyBytes)
    if (this.#bodyBytes === 0) this.#endUnit(type, chunk.subarray(at, at))
    return at
  }

  #readBody(chunk: Buffer, start: number): number {
    const type = this.#head.readUInt8(0)
    const end = Math.min(start + this.#bodyBytes, chunk.length)
    const bytes = chunk.subarray(start, end)
    this.#bodyBytes -= bytes.length
    if (type === unitType.dataTransfer) this.#listener.onData(bytes)
    else if (this.#bodyBytes > 0 || this.#body.bytes > 0) this.#body.add(bytes, this.#bodyBytes)
    if (this.#bodyBytes === 0) this.#endUnit(type, bytes)
    return end
  }

  /** @param bytes the whole body, unless some of it is collected */
  #endUnit(type: number, bytes: Buffer): void {
    this.#bytesOfHead = 0
    if (type === unitType.dataTransfer) return
    const body = this.#body.bytes === 0 ? bytes : Buffer.concat(this.#body.pieces())
    this.#body.letGo()
    this.#listener.onUnit(type, body)
  }
}

function bodyBytesOf(type: number, head: Buffer): number {
  if (type < unitType.associateRequest || type > unitType.abort) {
    throw new ProtocolViolation(`it sent a unit of the unknown type ${type}`)
  }
  const bytes = head.readUInt32BE(2)
  const longest = type === unitType.dataTransfer ? longestDataBytes : longestBodyBytes
  if (bytes > longest) throw new ProtocolViolation(`it sent a unit of ${bytes} bytes`)
  return bytes
}
