/** The protocol data units of the DICOM upper layer (PS3.8, section 9.3): their types, and those that we send. */

export const unitType = {
  associateRequest: 0x01,
  associateAccept: 0x02,
  associateReject: 0x03,
  dataTransfer: 0x04,
  releaseRequest: 0x05,
  releaseResponse: 0x06,
  abort: 0x07,
} as const

/** What the other end did that the protocol does not allow, in words for the log. */
export class ProtocolViolation extends Error {}

const headBytes = 6

/** A unit as bytes. */
export function unit(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(type, 0)
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

/** A P-DATA-TF with one whole command. */
export function commandUnit(contextId: number, command: Buffer): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt32BE(command.length + 2, 0)
  head.writeUInt8(contextId, 4)
  head.writeUInt8(0x03, 5)
  return unit(unitType.dataTransfer, Buffer.concat([head, command]))
}
