/** Asking for an association, and the answers to it, as bytes (PS3.8, sections 9.3.2 to 9.3.4). */
import { implementationClassUid, implementationVersionName } from '../dicom/dicom.ts'
import { ProtocolViolation, unit, unitType } from './protocol-units.ts'

/** What a sender would like to send, and how. */
export interface ProposedContext {
  readonly id: number
  readonly abstractSyntax: string
  readonly transferSyntaxes: readonly string[]
}

export interface AssociationRequest {
  readonly calledAet: string
  readonly callingAet: string
  readonly contexts: readonly ProposedContext[]
  /** The AE titles as they came, which the answer repeats. */
  readonly aeTitles: Buffer
}

/** What was made of a proposed context: `transferSyntax` if `result` is acceptance, 0. */
export interface ContextAnswer {
  readonly id: number
  readonly result: number
  readonly transferSyntax: string
}

const itemType = {
  application: 0x10,
  proposedContext: 0x20,
  answeredContext: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  user: 0x50,
  maximumLength: 0x51,
  implementationClass: 0x52,
  implementationVersion: 0x55,
} as const
const applicationContext = '1.2.840.10008.3.1.1.1'
const protocolVersion = 1
/** Where the items begin: after the version, the AE titles and what is reserved. */
const fixedBytes = 68

/** @throws `ProtocolViolation` */
export function readAssociationRequest(body: Buffer): AssociationRequest {
  if (body.length < fixedBytes) throw new ProtocolViolation('it sent a broken association request')
  const contexts = [...itemsOf(body.subarray(fixedBytes))]
    .filter(({ type }) => type === itemType.proposedContext)
    .map(({ value }) => readContext(value))
  return {
    calledAet: textOf(body.subarray(4, 20)),
    callingAet: textOf(body.subarray(20, 36)),
    contexts,
    aeTitles: body.subarray(4, fixedBytes),
  }
}

/** @param largestUnitBytes of a P-DATA-TF, in its variable part, that is taken */
export function acceptUnit(
  { aeTitles }: AssociationRequest,
  answers: readonly ContextAnswer[],
  largestUnitBytes: number,
): Buffer {
  const version = Buffer.alloc(4)
  version.writeUInt16BE(protocolVersion, 0)
  const maximumLength = Buffer.alloc(4)
  maximumLength.writeUInt32BE(largestUnitBytes, 0)
  return unit(
    unitType.associateAccept,
    Buffer.concat([
      version,
      aeTitles,
      item(itemType.application, Buffer.from(applicationContext)),
      ...answers.map(({ id, result, transferSyntax }) =>
        item(
          itemType.answeredContext,
          Buffer.concat([
            Buffer.from([id, 0, result, 0]),
            item(itemType.transferSyntax, Buffer.from(transferSyntax)),
          ]),
        ),
      ),
      item(
        itemType.user,
        Buffer.concat([
          item(itemType.maximumLength, maximumLength),
          item(itemType.implementationClass, Buffer.from(implementationClassUid)),
          item(itemType.implementationVersion, Buffer.from(implementationVersionName)),
        ]),
      ),
    ]),
  )
}

export function rejectUnit(rejection: { result: number; source: number; reason: number }): Buffer {
  const { result, source, reason } = rejection
  return unit(unitType.associateReject, Buffer.from([0, result, source, reason]))
}

function readContext(value: Buffer): ProposedContext {
  if (value.length < 4) throw new ProtocolViolation('it proposed a broken presentation context')
  const items = [...itemsOf(value.subarray(4))]
  const textsOf = (wanted: number) =>
    items.filter(({ type }) => type === wanted).map((each) => textOf(each.value))
  return {
    id: value.readUInt8(0),
    abstractSyntax: textsOf(itemType.abstractSyntax)[0] ?? '',
    transferSyntaxes: textsOf(itemType.transferSyntax),
  }
}

function* itemsOf(bytes: Buffer): Generator<{ type: number; value: Buffer }> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + (at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : bytes.length)
    if (end > bytes.length) throw new ProtocolViolation('it sent a broken association request')
    yield { type: bytes.readUInt8(at), value: bytes.subarray(at + 4, end) }
    at = end
  }
}

function item(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt8(type, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value])
}

/** UIDs and AE titles without their padding. */
function textOf(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .replace(/^ +/, '')
}
