/**
 * The answer to a C-STORE as bytes: a P-DATA-TF unit (PS3.8, section 9.3.5) with a command set in implicit
 * little endian (PS3.7, sections 6.3.1 and 9.3.1.2). The library would spend half a megabyte of memory on it.
 */

export interface StoreResponse {
  readonly presentationContextId: number
  readonly messageId: number
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  readonly status: number
}

const commandField = 0x8001
const noDataset = 0x0101
/** Message control header: a command, and its last fragment. */
const lastCommandFragment = 0x03
const dataTransfer = 0x04

export function storeResponse(response: StoreResponse): Buffer {
  const elements = Buffer.concat([
    uidElement(0x0002, response.sopClassUid),
    shortElement(0x0100, commandField),
    shortElement(0x0120, response.messageId),
    shortElement(0x0800, noDataset),
    shortElement(0x0900, response.status),
    uidElement(0x1000, response.sopInstanceUid),
  ])
  const groupLength = elementOf(0x0000, 4)
  groupLength.writeUInt32LE(elements.length, 8)
  const valueBytes = 2 + groupLength.length + elements.length
  const head = Buffer.alloc(12)
  head.writeUInt8(dataTransfer, 0)
  head.writeUInt32BE(4 + valueBytes, 2)
  head.writeUInt32BE(valueBytes, 6)
  head.writeUInt8(response.presentationContextId, 10)
  head.writeUInt8(lastCommandFragment, 11)
  return Buffer.concat([head, groupLength, elements])
}

/** An element of group 0000 with room for its value. */
function elementOf(element: number, valueBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + valueBytes)
  bytes.writeUInt16LE(element, 2)
  bytes.writeUInt32LE(valueBytes, 4)
  return bytes
}

function shortElement(element: number, value: number): Buffer {
  const bytes = elementOf(element, 2)
  bytes.writeUInt16LE(value, 8)
  return bytes
}

function uidElement(element: number, uid: string): Buffer {
  // A UID is padded to an even length with a zero (PS3.5, section 9.1).
  const bytes = elementOf(element, uid.length + (uid.length % 2))
  bytes.write(uid, 8, 'latin1')
  return bytes
}
