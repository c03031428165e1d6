/**
 * A C-STORE request whose dataset goes out byte for byte as it is stored, and is in memory only while it is sent.
 */
import dimse from 'dcmjs-dimse'
import { readPart10 } from '../dicom/dicom.ts'
import type { Outgoing } from './association.ts'

/** Anything but 0101H (PS3.7, E.1). */
const datasetFollows = 0x0202

export class StoreRequest extends dimse.requests.CStoreRequest {
  readonly #instance: Outgoing
  readonly #beforeNext: () => Promise<void>
  #bytes: Buffer | null = null

  /** @param beforeNext is waited for between the response to this request and the one that follows */
  constructor(instance: Outgoing, beforeNext: () => Promise<void>) {
    // Without a dataset of the library's own, which would be decoded and encoded again.
    super(undefined as unknown as dimse.Dataset)
    this.#instance = instance
    this.#beforeNext = beforeNext
    this.setAffectedSopClassUid(instance.sopClassUid)
    this.setAffectedSopInstanceUid(instance.sopInstanceUid)
    this.getCommandDataset().setElement('CommandDataSetType', datasetFollows as unknown as string)
  }

  async load(): Promise<void> {
    const file = await this.#instance.read()
    const dataset = file.subarray(readPart10(file)?.position ?? 0)
    // Only a deflated dataset can be odd, and on the wire it is padded (PS3.5, A.5).
    this.#bytes = dataset.length % 2 === 0 ? dataset : Buffer.concat([dataset, Buffer.alloc(1)])
  }

  /** Asked for by the library: the syntax to choose the context by, and the bytes to send. */
  override getDataset(): dimse.Dataset {
    const dataset = {
      getTransferSyntaxUid: () => this.#instance.transferSyntaxUid,
      getDenaturalizedDataset: () => this.#bytes,
    }
    return dataset as unknown as dimse.Dataset
  }

  /** The library goes on to the next request when this is raised. */
  override raiseDoneEvent(): void {
    this.#bytes = null
    this.#beforeNext().then(() => super.raiseDoneEvent())
  }
}
