/** Command sets as bytes: elements of group 0000 in implicit little endian (PS3.7, sections 6.3.1 and E). */
import { ProtocolViolation } from './protocol-units.ts'

export const commandField = { storeRequest: 0x0001, echoRequest: 0x0030, cancelRequest: 0x0fff } as const
/** What a response has more than its request. */
const response = 0x8000
const noDataset = 0x0101

const element = {
  groupLength: 0x0000,
  affectedSopClassUid: 0x0002,
  commandField: 0x0100,
  messageId: 0x0110,
  messageIdRespondedTo: 0x0120,
  datasetType: 0x0800,
  status: 0x0900,
  affectedSopInstanceUid: 0x1000,
} as const

export interface Command {
  readonly field: number
  readonly messageId: number
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  readonly hasDataset: boolean
}

export const isResponse = ({ field }: Command) => (field & response) !== 0

/** @throws `ProtocolViolation` */
export function readCommand(bytes: Buffer): Command {
  const values = new Map<number, Buffer>()
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + (at + 8 <= bytes.length ? bytes.readUInt32LE(at + 4) : bytes.length)
    if (end > bytes.length || bytes.readUInt16LE(at) !== 0) {
      throw new ProtocolViolation('it sent a broken command')
    }
    values.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 8, end))
    at = end
  }
  const short = (number: number): number | null => {
    const value = values.get(number)
    return value === undefined || value.length < 2 ? null : value.readUInt16LE(0)
  }
  const uid = (number: number) => (values.get(number)?.toString('latin1') ?? '').replace(/[\0 ]+$/, '')
  const field = short(element.commandField)
  if (field === null) throw new ProtocolViolation('it sent a command that does not say which')
  return {
    field,
    messageId: short(element.messageId) ?? 0,
    sopClassUid: uid(element.affectedSopClassUid),
    sopInstanceUid: uid(element.affectedSopInstanceUid),
    hasDataset: (short(element.datasetType) ?? noDataset) !== noDataset,
  }
}

/** The command set of a response without a dataset. */
export function responseTo(command: Command, status: number): Buffer {
  const { field, messageId, sopClassUid, sopInstanceUid } = command
  const elements = Buffer.concat([
    ...(sopClassUid === '' ? [] : [uidElement(element.affectedSopClassUid, sopClassUid)]),
    shortElement(element.commandField, field | response),
    shortElement(element.messageIdRespondedTo, messageId),
    shortElement(element.datasetType, noDataset),
    shortElement(element.status, status),
    ...(sopInstanceUid === '' ? [] : [uidElement(element.affectedSopInstanceUid, sopInstanceUid)]),
  ])
  const groupLength = elementOf(element.groupLength, 4)
  groupLength.writeUInt32LE(elements.length, 8)
  return Buffer.concat([groupLength, elements])
}

/** An element with room for its value. */
function elementOf(number: number, valueBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + valueBytes)
  bytes.writeUInt16LE(number, 2)
  bytes.writeUInt32LE(valueBytes, 4)
  return bytes
}

function shortElement(number: number, value: number): Buffer {
  const bytes = elementOf(number, 2)
  bytes.writeUInt16LE(value, 8)
  return bytes
}

function uidElement(number: number, uid: string): Buffer {
  // A UID is padded to an even length with a zero (PS3.5, section 9.1).
  const bytes = elementOf(number, uid.length + (uid.length % 2))
  bytes.write(uid, 8, 'latin1')
  return bytes
}
