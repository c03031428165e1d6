/**
 * A C-STORE sender that costs next to nothing, so that what is measured on a shared machine is the receiver:
 * one presentation context (CT images, Explicit VR Little Endian), requests made whole beforehand.
 */
import { connect, type Socket } from 'node:net'
import { ctImageStorage, explicitLittleEndian, type Sample } from './samples.ts'

export interface Association extends AsyncDisposable {
  /** How long a protocol data unit the receiver takes, in bytes. */
  readonly maxUnit: number
  /** Sends a request of `storeRequest` and waits for its answer; throws unless its status is success. */
  store(request: Buffer): Promise<void>
}

/** Opens an association with a receiver on this machine; throws if it does not take CT images. */
export async function associate(port: number, calledAet: string): Promise<Association> {
  const { socket, nextUnit } = openConnection(port)
  const answer = nextUnit()
  socket.write(associateRequest(calledAet))
  const maxUnit = acceptedUnitLength(await answer)
  return {
    maxUnit,
    store: async (request) => {
      const answer = nextUnit()
      socket.write(request)
      const status = statusOf(await answer)
      if (status !== 0) throw new Error(`C-STORE was answered with status 0x${status.toString(16)}`)
    },
    [Symbol.asyncDispose]: async () => {
      const answer = nextUnit().catch(() => {})
      socket.write(unit(0x05, Buffer.alloc(4)))
      await answer
      socket.destroy()
    },
  }
}

/** One instance as it goes on the wire. The message ID is always 1: one request is open at a time. */
export function storeRequest(sample: Sample, maxUnit: number): Buffer {
  const command = storeCommand(sample.sopInstanceUid, 1)
  return Buffer.concat([...fragments(command, 0x01, maxUnit), ...fragments(sample.dataSet, 0x00, maxUnit)])
}

interface ProtocolUnit {
  readonly type: number
  readonly body: Buffer
}

/** A connection whose protocol data units are asked for one at a time: the receiver speaks when spoken to. */
function openConnection(port: number): { socket: Socket; nextUnit: () => Promise<ProtocolUnit> } {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  let held: Buffer = Buffer.alloc(0)
  let waiting: PromiseWithResolvers<ProtocolUnit> | null = null
  socket.on('data', (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
    if (held.length < 6 || held.length < 6 + held.readUInt32BE(2)) return
    waiting?.resolve({ type: held.readUInt8(0), body: held.subarray(6) })
    held = Buffer.alloc(0)
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error('The receiver closed the connection')))
  const nextUnit = () => {
    waiting = Promise.withResolvers()
    return waiting.promise
  }
  return { socket, nextUnit }
}

/** PS3.8 9.3.2: A-ASSOCIATE-RQ. */
function associateRequest(calledAet: string): Buffer {
  const maxLength = Buffer.alloc(4)
  maxLength.writeUInt32BE(16_384)
  const context = Buffer.concat([
    Buffer.from([1, 0, 0, 0]),
    item(0x30, ctImageStorage),
    item(0x40, explicitLittleEndian),
  ])
  const user = Buffer.concat([item(0x51, maxLength), item(0x52, '1.2.826.0.1.3680043.10.1357')])
  return unit(
    0x01,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      Buffer.from(calledAet.padEnd(16) + 'BENCH'.padEnd(16)),
      Buffer.alloc(32),
      item(0x10, '1.2.840.10008.3.1.1.1'),
      item(0x20, context),
      item(0x50, user),
    ]),
  )
}

/** PS3.8 9.3.3: how long a unit the acceptor takes; 0 there means any. */
function acceptedUnitLength({ type, body }: ProtocolUnit): number {
  if (type !== 0x02) throw new Error('The receiver refused the association')
  const items = itemsOf(body.subarray(68))
  const context = items.find((each) => each.type === 0x21)
  if (context === undefined || context.body[2] !== 0) throw new Error('The receiver takes no CT images')
  const user = items.find((each) => each.type === 0x50)
  const length =
    user &&
    itemsOf(user.body)
      .find((each) => each.type === 0x51)
      ?.body.readUInt32BE(0)
  return length === undefined || length === 0 ? 131_072 : Math.min(length, 131_072)
}

function itemsOf(bytes: Buffer): ProtocolUnit[] {
  const items: ProtocolUnit[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt16BE(at + 2)
    items.push({ type: bytes.readUInt8(at), body: bytes.subarray(at + 4, end) })
    at = end
  }
  return items
}

/** PS3.8 9.3.5: P-DATA-TF units of one fragment each; bit 0 says command, bit 1 last. */
function fragments(bytes: Buffer, kind: 0 | 1, maxUnit: number): Buffer[] {
  const room = maxUnit - 6
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += room) {
    const fragment = bytes.subarray(at, at + room)
    const head = Buffer.alloc(12)
    head.writeUInt8(0x04, 0)
    head.writeUInt32BE(fragment.length + 6, 2)
    head.writeUInt32BE(fragment.length + 2, 6)
    head.writeUInt8(1, 10)
    head.writeUInt8(kind | (at + room >= bytes.length ? 0x02 : 0), 11)
    parts.push(head, fragment)
  }
  return parts
}

/** PS3.7 9.3.1.1: C-STORE-RQ. */
function storeCommand(sopInstanceUid: string, messageId: number): Buffer {
  const elements = Buffer.concat([
    commandElement(0x0002, uid(ctImageStorage)),
    commandElement(0x0100, unsigned16(0x0001)),
    commandElement(0x0110, unsigned16(messageId)),
    commandElement(0x0700, unsigned16(0)),
    commandElement(0x0800, unsigned16(0x0001)),
    commandElement(0x1000, uid(sopInstanceUid)),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(elements.length)
  return Buffer.concat([commandElement(0x0000, length), elements])
}

/** PS3.7 9.3.1.2: the status (0000,0900) of a C-STORE-RSP. */
function statusOf({ type, body }: ProtocolUnit): number {
  if (type !== 0x04) throw new Error('The receiver aborted the association')
  const command = body.subarray(6)
  for (let at = 0; at + 8 <= command.length; at += 8 + command.readUInt32LE(at + 4)) {
    if (command.readUInt16LE(at + 2) === 0x0900) return command.readUInt16LE(at + 8)
  }
  throw new Error('The receiver answered without a status')
}

function commandElement(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(number, 2)
  head.writeUInt32LE(value.length, 4)
  return Buffer.concat([head, value])
}

function unit(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt8(type, 0)
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

function item(type: number, value: string | Buffer): Buffer {
  const body = typeof value === 'string' ? Buffer.from(value) : value
  const head = Buffer.alloc(4)
  head.writeUInt8(type, 0)
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, body])
}

function uid(value: string): Buffer {
  return Buffer.from(value.length % 2 === 0 ? value : `${value}\0`)
}

function unsigned16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}
