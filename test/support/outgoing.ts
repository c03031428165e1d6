/** C-STOREs of made instances as bytes, cut as one likes, and what the receiver made of them. */
import { type Association, associated, type OutgoingInstance, requestUnit } from './association.ts'
import { dicomDataset, type FileFacts, transferSyntaxes, uidsOf } from './dicom-files.ts'
import { ctImageStorage, dataUnit, fragmentValue, type Proposal, storeCommand } from './dimse-messages.ts'
import { protocolUnit } from './protocol-units.ts'
import type { TestReceiver } from './test-receiver.ts'

/** Two contexts in which all made instances can be sent. */
export const proposals: readonly Proposal[] = [1, 2].map(() => ({
  abstractSyntax: ctImageStorage,
  transferSyntaxes: [transferSyntaxes.explicitLittleEndian],
}))

export const open = ({ dicomPort }: TestReceiver): Promise<Association> =>
  associated(dicomPort, { proposals })

export const associateUnit = requestUnit({ proposals })
export const releaseUnit = protocolUnit(0x05, Buffer.alloc(4))
export const abortUnit = protocolUnit(0x07, Buffer.alloc(4))

export function outgoing(facts: FileFacts = {}): OutgoingInstance {
  return { dataset: dicomDataset(facts), sopInstanceUid: uidsOf(facts).instance }
}

export function commandOf({ sopInstanceUid }: OutgoingInstance, messageId = 1): Buffer {
  return storeCommand({ sopInstanceUid, sopClassUid: ctImageStorage }, messageId)
}

/** How a message is cut into fragments: the sizes of those of its command, and of those of its dataset, over and over. */
export interface Cut {
  readonly commandSizes?: readonly number[]
  readonly datasetSizes?: readonly number[]
}

/** The fragments of a C-STORE. */
export function storeFragments(instance: OutgoingInstance, messageId = 1, cut: Cut = {}): Buffer[] {
  const { commandSizes = [Number.POSITIVE_INFINITY], datasetSizes = [Number.POSITIVE_INFINITY] } = cut
  const fragments = (bytes: Buffer, isCommand: boolean, sizes: readonly number[]) => {
    const pieces = piecesOf(bytes, sizes)
    return pieces.map((piece, at) => fragmentValue(piece, { isCommand, isLast: at === pieces.length - 1 }))
  }
  return [
    ...fragments(commandOf(instance, messageId), true, commandSizes),
    ...fragments(instance.dataset, false, datasetSizes),
  ]
}

/** A C-STORE, each fragment in a unit of its own. */
export function storeUnits(instance: OutgoingInstance, messageId = 1, cut: Cut = {}): Buffer {
  return Buffer.concat(storeFragments(instance, messageId, cut).map((each) => dataUnit([each])))
}

/** @param sizes of the pieces, over and over; each more than 0 */
export function piecesOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + sizes[pieces.length % sizes.length]!, bytes.length)
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

/** Without their meta information, in the order of their bytes. */
export async function storedDatasets({ storage, files }: TestReceiver): Promise<Buffer[]> {
  const contents = await Promise.all((await files()).map((file) => storage.read(file)))
  return inOrder(contents.map((file) => file.subarray(144 + file.readUInt32LE(140))))
}

export function inOrder(datasets: readonly Buffer[]): Buffer[] {
  return [...datasets].sort(Buffer.compare)
}

/**
 * Stores on a second association what a first, silent one would hold up if memory were still held: the receiver
 * has to be one that allows a single byte.
 * @returns the statuses
 */
export async function storesBesideSilent(receiver: TestReceiver): Promise<number[]> {
  using _silent = await open(receiver)
  using busy = await open(receiver)
  const statuses: number[] = []
  for (const instance of ['3', '2', '1']) {
    statuses.push(await busy.store(outgoing({ study: 'beside', instance })))
  }
  await busy.release()
  return statuses
}
