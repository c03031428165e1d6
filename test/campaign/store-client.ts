/** Sends instances by C-STORE on one association, each data set byte for byte as it was made. */
import dimse from 'dcmjs-dimse'
import { dicomDataset, transferSyntaxes, uidsOf } from '../support/dicom-files.ts'
import type { TestServer } from '../support/server.ts'
import type { History, Upload } from './history.ts'

/** Anything but 0101H (PS3.7, E.1). */
const datasetFollows = 0x0202
const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2'

/**
 * Resolves when the association has ended, by its own release or because the server is gone.
 * @returns those that got no answer
 */
export async function store(
  history: History,
  server: TestServer,
  uploads: readonly Upload[],
): Promise<readonly Upload[]> {
  dimse.log.setLevel('silent')
  const client = new dimse.Client()
  const ended = Promise.withResolvers<void>()
  const sentAtMs = Date.now()
  const open = new Set(uploads)
  for (const upload of uploads) {
    const request = new StoreRequest(upload)
    request.on('response', (response: dimse.responses.Response) => {
      const status = response.getStatus()
      // Another may take what this one could not.
      if (status === 0xff00 || (status !== 0 && history.hasOthers) || !open.delete(upload)) return
      if (status !== 0) history.surprises.push(`A C-STORE was answered with status ${status.toString(16)}`)
      upload.attempts.push({ sentAtMs, endedAtMs: Date.now(), answer: status === 0 ? 'stored' : null })
    })
    client.addRequest(request)
  }
  const { explicitLittleEndian } = transferSyntaxes
  const context = new dimse.association.PresentationContext(0, ctImageStorage, explicitLittleEndian)
  client.addAdditionalPresentationContext(context, true)
  for (const event of ['networkError', 'associationRejected', 'closed'])
    client.on(event, () => ended.resolve())
  client.send('127.0.0.1', server.dicomPort, 'CAMPAIGN', 'ONSTABLE', { associationLingerTimeout: 0 })
  await ended.promise
  for (const upload of open) upload.attempts.push({ sentAtMs, endedAtMs: Date.now(), answer: null })
  return [...open]
}

class StoreRequest extends dimse.requests.CStoreRequest {
  readonly #upload: Upload

  constructor(upload: Upload) {
    // Without a data set of the library's own, which would be encoded again.
    super(undefined as unknown as dimse.Dataset)
    this.#upload = upload
    this.setAffectedSopClassUid(ctImageStorage)
    this.setAffectedSopInstanceUid(uidsOf(upload.facts).instance)
    this.getCommandDataset().setElement('CommandDataSetType', datasetFollows as unknown as string)
  }

  /** Asked for by the library: the syntax to choose the context by, and the bytes to send. */
  override getDataset(): dimse.Dataset {
    const dataset = {
      getTransferSyntaxUid: () => transferSyntaxes.explicitLittleEndian,
      getDenaturalizedDataset: () => dicomDataset(this.#upload.facts),
    }
    return dataset as unknown as dimse.Dataset
  }
}
