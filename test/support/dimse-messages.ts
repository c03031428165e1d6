/** The messages of DIMSE as bytes: asking for an association, C-STORE and C-ECHO, and what is answered. */
import { type ProtocolUnit, protocolUnit } from './protocol-units.ts'

export const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2'
export const verification = '1.2.840.10008.1.1'

export interface Proposal {
  readonly abstractSyntax: string
  readonly transferSyntaxes: readonly string[]
}

/** Of one proposal: 0 is accepted, 3 and 4 say which syntax is not supported (PS3.8, 9.3.3.2). */
export interface ContextAnswer {
  readonly result: number
  readonly transferSyntax: string | null
}

export interface AssociateRequest {
  readonly proposals: readonly Proposal[]
  readonly callingAet: string
  readonly calledAet: string
}

export function associateRequest({ proposals, callingAet, calledAet }: AssociateRequest): Buffer {
  const contexts = proposals.map(({ abstractSyntax, transferSyntaxes }, number) =>
    item(0x20, [
      Buffer.from([number * 2 + 1, 0, 0, 0]),
      item(0x30, abstractSyntax),
      ...transferSyntaxes.map((uid) => item(0x40, uid)),
    ]),
  )
  const largestUnit = Buffer.alloc(4)
  largestUnit.writeUInt32BE(16_384)
  return Buffer.concat([
    Buffer.from([0, 1, 0, 0]),
    Buffer.from(calledAet.padEnd(16) + callingAet.padEnd(16), 'latin1'),
    Buffer.alloc(32),
    item(0x10, '1.2.840.10008.3.1.1.1'),
    ...contexts,
    item(0x50, [item(0x51, largestUnit), item(0x52, '2.25.1')]),
  ])
}

export function contextAnswers({ body }: ProtocolUnit): ContextAnswer[] {
  const answers: ContextAnswer[] = []
  for (let at = 68; at + 4 <= body.length; at += 4 + body.readUInt16BE(at + 2)) {
    if (body[at] !== 0x21) continue
    const result = body[at + 6]!
    const uid = body.toString('latin1', at + 12, at + 12 + body.readUInt16BE(at + 10)).replace(/\0$/, '')
    answers[(body[at + 4]! - 1) / 2] = { result, transferSyntax: result === 0 ? uid : null }
  }
  return answers
}

export interface FragmentOptions {
  /** Numbered from 0. */
  readonly context?: number | undefined
  readonly isCommand?: boolean
  readonly isLast?: boolean
}

/** One P-DATA-TF with one fragment (PS3.8, 9.3.5). */
export function fragment(bytes: Buffer, options: FragmentOptions): Buffer {
  return dataUnit([fragmentValue(bytes, options)])
}

/** One P-DATA-TF with some fragments. */
export function dataUnit(fragments: readonly Buffer[]): Buffer {
  return protocolUnit(0x04, Buffer.concat(fragments))
}

/** A fragment as it stands in a P-DATA-TF. */
export function fragmentValue(
  bytes: Buffer,
  { context = 0, isCommand = false, isLast = true }: FragmentOptions,
): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt32BE(bytes.length + 2, 0)
  head.writeUInt8(context * 2 + 1, 4)
  head.writeUInt8((isCommand ? 1 : 0) + (isLast ? 2 : 0), 5)
  return Buffer.concat([head, bytes])
}

export interface InstanceUids {
  readonly sopInstanceUid: string
  readonly sopClassUid: string
}

export function storeCommand({ sopInstanceUid, sopClassUid }: InstanceUids, id: number): Buffer {
  return command([
    [0x0002, uidValue(sopClassUid)],
    [0x0100, number16(0x0001)],
    [0x0110, number16(id)],
    [0x0700, number16(0)],
    [0x0800, number16(0x0001)],
    [0x1000, uidValue(sopInstanceUid)],
  ])
}

export function echoCommand(id: number): Buffer {
  return command([
    [0x0002, uidValue(verification)],
    [0x0100, number16(0x0030)],
    [0x0110, number16(id)],
    [0x0800, number16(0x0101)],
  ])
}

/** Elements of group 0000, implicit little endian, after their length (PS3.7, 6.3.1). */
function command(elements: [number, Buffer][]): Buffer {
  const bytes = Buffer.concat(elements.map(([number, value]) => commandElement(number, value)))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([commandElement(0x0000, length), bytes])
}

function commandElement(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(number, 2)
  head.writeUInt32LE(value.length, 4)
  return Buffer.concat([head, value])
}

export interface Answer {
  readonly messageId: number
  readonly status: number
}

export function answerOf(unit: ProtocolUnit | null): Answer {
  if (unit?.type !== 0x04) throw new Error('The association was ended instead of an answer')
  const bytes = unit.body.subarray(6)
  const values = new Map<number, number>()
  for (let at = 0; at + 10 <= bytes.length; at += 8 + bytes.readUInt32LE(at + 4)) {
    values.set(bytes.readUInt16LE(at + 2), bytes.readUInt16LE(at + 8))
  }
  const status = values.get(0x0900)
  if (status === undefined) throw new Error('The answer has no status')
  return { messageId: values.get(0x0120) ?? 0, status }
}

function item(type: number, value: string | Buffer | readonly Buffer[]): Buffer {
  const body = typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.concat([value].flat())
  const head = Buffer.from([type, 0, 0, 0])
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, body])
}

const uidValue = (uid: string) => Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`, 'latin1')

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}
