/** One C-STORE: from the bytes that came to the status that the sender is told (PS3.4, table B.2-1). */
import { fileMetaInformation, readHeader } from '../dicom/dicom.ts'
import { messageOf, OnStableError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Origin } from '../store/store.ts'
import type { Intake } from './intake.ts'
import type { ReceivedDataset } from './received-dataset.ts'

export const success = 0x0000
const processingFailure = 0x0110
const outOfResources = 0xa700
const dataSetDoesNotMatch = 0xa900
const cannotUnderstand = 0xc000

/** What the command says of the dataset that follows it. */
export interface StoreCommand {
  readonly sopClassUid: string
  readonly sopInstanceUid: string
}

/**
 * Takes the instance in. Never rejects: every end is a status.
 * @param received null if no dataset came
 */
export async function storeReceived(
  { intake, log }: { readonly intake: Pick<Intake, 'accept'>; readonly log: Log },
  command: StoreCommand,
  received: ReceivedDataset | null,
  origin: Origin,
): Promise<number> {
  const refuse = (status: number, reason: string) => {
    const { remoteAet, remoteIp } = origin
    log.warn({ remoteAet, remoteIp, status: `0x${status.toString(16)}`, reason }, 'Did not store an instance')
    return status
  }
  if (received === null) return refuse(cannotUnderstand, 'The command came without a dataset')
  if (received.isTooLarge) return refuse(outOfResources, 'It is larger than "maxInstanceMb" allows')
  try {
    const { transferSyntaxUid, chunks } = received
    const meta = fileMetaInformation({ ...command, transferSyntaxUid, sourceAet: origin.remoteAet })
    const file = [meta, ...chunks]
    const header = readHeader(file)
    if (header.sopInstanceUid !== command.sopInstanceUid || header.sopClassUid !== command.sopClassUid) {
      return refuse(dataSetDoesNotMatch, 'Its SOP class or instance is not the one of the command')
    }
    const refusal = await intake.accept(file, header, origin)
    return refusal?.status ?? success
  } catch (thrown) {
    return refuse(statusOf(thrown), messageOf(thrown))
  }
}

function statusOf(thrown: unknown): number {
  if (!(thrown instanceof OnStableError)) return processingFailure
  switch (thrown.code) {
    case 'too-large':
    case 'storage-full':
    case 'shutting-down':
    case 'filter-silent':
      return outOfResources
    case 'bad-dicom-file':
    case 'missing-identifier':
      return cannotUnderstand
    default:
      return processingFailure
  }
}
