/** The receiver's half of DIMSE as bytes: what is proposed to it, and its answers. */
import { type ProtocolUnit, protocolUnit } from './protocol-units.ts'

export interface Proposal {
  readonly id: number
  readonly abstractSyntax: string
  readonly transferSyntaxes: readonly string[]
}

export function proposalsOf({ body }: ProtocolUnit): Proposal[] {
  return itemsOf(body.subarray(68)).flatMap((context) => {
    if (context.type !== 0x20) return []
    const syntaxes = itemsOf(context.body.subarray(4))
    const uids = (type: number) =>
      syntaxes
        .filter((each) => each.type === type)
        .map(({ body: uid }) => uid.toString('latin1').replace(/\0$/, ''))
    return [{ id: context.body[0]!, abstractSyntax: uids(0x30)[0]!, transferSyntaxes: uids(0x40) }]
  })
}

/** A-ASSOCIATE-AC: each context is accepted in its first transfer syntax, or refused. */
export function acceptance(
  request: ProtocolUnit,
  proposals: readonly Proposal[],
  accepts: (proposal: Proposal) => boolean,
): Buffer {
  const contexts = proposals.map((proposal) =>
    item(
      0x21,
      Buffer.concat([
        Buffer.from([proposal.id, 0, accepts(proposal) ? 0 : 3, 0]),
        item(0x40, Buffer.from(proposal.transferSyntaxes[0]!, 'latin1')),
      ]),
    ),
  )
  const largestUnit = Buffer.from([0, 0, 0x40, 0])
  const user = item(0x50, Buffer.concat([item(0x51, largestUnit), item(0x52, Buffer.from('2.25.2'))]))
  const application = item(0x10, Buffer.from('1.2.840.10008.3.1.1.1'))
  return protocolUnit(0x02, Buffer.concat([request.body.subarray(0, 68), application, ...contexts, user]))
}

export interface CommandFacts {
  readonly messageId: number
  readonly sopClassUid: string
  readonly sopInstanceUid: string
}

export function commandFacts(command: Buffer): CommandFacts {
  const values = new Map<number, Buffer>()
  for (let at = 0; at + 8 <= command.length; ) {
    const end = at + 8 + command.readUInt32LE(at + 4)
    values.set(command.readUInt16LE(at + 2), command.subarray(at + 8, end))
    at = end
  }
  const uid = (element: number) => (values.get(element)?.toString('latin1') ?? '').replace(/\0$/, '')
  return {
    messageId: values.get(0x0110)!.readUInt16LE(0),
    sopClassUid: uid(0x0002),
    sopInstanceUid: uid(0x1000),
  }
}

interface StoreAnswer {
  readonly context: number
  readonly status: number
  /** ErrorComment; none if empty. */
  readonly comment: string
}

/** C-STORE-RSP (PS3.7, 9.3.1.2). */
export function storeAnswer(command: CommandFacts, { context, status, comment }: StoreAnswer): Buffer {
  const elements = Buffer.concat([
    element(0x0002, padded(command.sopClassUid, '\0')),
    element(0x0100, number16(0x8001)),
    element(0x0120, number16(command.messageId)),
    element(0x0800, number16(0x0101)),
    element(0x0900, number16(status)),
    ...(comment === '' ? [] : [element(0x0902, padded(comment, ' '))]),
    element(0x1000, padded(command.sopInstanceUid, '\0')),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(elements.length)
  const bytes = Buffer.concat([element(0x0000, length), elements])
  const head = Buffer.from([0, 0, 0, 0, context, 3])
  head.writeUInt32BE(bytes.length + 2)
  return protocolUnit(0x04, Buffer.concat([head, bytes]))
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

function item(type: number, body: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0, 0])
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, body])
}

function element(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(number, 2)
  head.writeUInt32LE(value.length, 4)
  return Buffer.concat([head, value])
}

const padded = (text: string, padding: string) =>
  Buffer.from(text.length % 2 === 0 ? text : text + padding, 'latin1')

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}
