/** The protocol data units of the DICOM upper layer (PS3.8, section 9.3), cut out of a stream of bytes. */

export const unitType = {
  associateRequest: 0x01,
  associateAccept: 0x02,
  associateReject: 0x03,
  dataTransfer: 0x04,
  releaseRequest: 0x05,
  releaseResponse: 0x06,
  abort: 0x07,
} as const

export interface ProtocolUnit {
  readonly type: number
  readonly body: Buffer
}

/** What the other end did that the protocol does not allow, in words for the log. */
export class ProtocolViolation extends Error {}

const headBytes = 6
/** Far more than is announced as the longest; some senders do not look. */
const longestBodyBytes = 4 * 1024 * 1024

export class UnitReader {
  #chunks: Buffer[] = []
  #bytes = 0
  #needed = headBytes

  /**
   * Takes bytes as they come, and hands out each unit that is whole.
   * @throws `ProtocolViolation` as soon as no unit can begin like this, and what `onUnit` throws
   */
  read(chunk: Buffer, onUnit: (unit: ProtocolUnit) => void): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= this.#needed) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes)
      const end = headBytes + bodyLengthOf(bytes)
      if (bytes.length < end) {
        this.#chunks = [bytes]
        this.#needed = end
        return
      }
      const rest = bytes.subarray(end)
      this.#chunks = rest.length > 0 ? [rest] : []
      this.#bytes = rest.length
      this.#needed = headBytes
      onUnit({ type: bytes.readUInt8(0), body: bytes.subarray(headBytes, end) })
    }
  }
}

function bodyLengthOf(head: Buffer): number {
  const type = head.readUInt8(0)
  if (type < unitType.associateRequest || type > unitType.abort) {
    throw new ProtocolViolation(`it sent a unit of the unknown type ${type}`)
  }
  const length = head.readUInt32BE(2)
  if (length > longestBodyBytes) throw new ProtocolViolation(`it sent a unit of ${length} bytes`)
  return length
}

/** A unit as bytes. */
export function unit(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(type, 0)
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

/** A part of a command or of a dataset (PS3.8, sections 9.3.5.1 and E.2). */
export interface Fragment {
  readonly contextId: number
  readonly isCommand: boolean
  readonly isLast: boolean
  readonly value: Buffer
}

/** The fragments in the body of a P-DATA-TF. */
export function* fragmentsOf(body: Buffer): Generator<Fragment> {
  for (let at = 0; at < body.length; ) {
    const end = at + 4 + (at + 6 <= body.length ? body.readUInt32BE(at) : 0)
    if (end < at + 6 || end > body.length) throw new ProtocolViolation('it sent a broken data unit')
    const control = body.readUInt8(at + 5)
    yield {
      contextId: body.readUInt8(at + 4),
      isCommand: (control & 1) !== 0,
      isLast: (control & 2) !== 0,
      value: body.subarray(at + 6, end),
    }
    at = end
  }
}

/** A P-DATA-TF with one whole command. */
export function commandUnit(contextId: number, command: Buffer): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt32BE(command.length + 2, 0)
  head.writeUInt8(contextId, 4)
  head.writeUInt8(0x03, 5)
  return unit(unitType.dataTransfer, Buffer.concat([head, command]))
}
