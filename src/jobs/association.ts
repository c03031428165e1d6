/**
 * One association on which instances are stored, one after the other, each read when its turn comes.
 *
 *   read the first ─► associate ─► every context accepted? ─► store ─► response ─► read the next … ─► release
 */
import type { Socket } from 'node:net'
import dimse from 'dcmjs-dimse'
import { fault, messageOf, type OnStableError } from '../errors.ts'
import { StoreRequest } from './store-request.ts'

/** An instance to be sent. */
export interface Outgoing {
  readonly id: string
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  readonly transferSyntaxUid: string
  /** The bytes of its file. */
  readonly read: () => Promise<Buffer>
}

export interface Receiver {
  /** Of the modality, for messages. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly aet: string
  readonly callingAet: string
}

/** What the library's client has and does not declare. */
interface HiddenNetwork {
  readonly network: { readonly socket: Socket; on(event: 'abort', listener: () => void): void }
}

const timeouts = { connectTimeout: 60_000, associationTimeout: 30_000, pduTimeout: 600_000 }

/** @throws `send-failed` at the first instance that is not taken; the association is given up then */
export async function storeOverAssociation(
  instances: readonly Outgoing[],
  receiver: Receiver,
  signal: AbortSignal,
): Promise<void> {
  const failed = (reason: string, cause?: unknown) =>
    fault('send-failed', `Cannot send to "${receiver.name}": ${reason}`, { cause })
  if (signal.aborted) throw failed('the run has ended')
  // The library writes its log, with what it sends, to the console.
  dimse.log.setLevel('silent')
  const client = new dimse.Client()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let waiting = instances.length

  const of = (instance: Outgoing, reason: string, cause?: unknown) =>
    failed(`instance ${instance.id} ${reason}`, cause)
  const load = async (index: number) => {
    try {
      await requests[index]?.load()
    } catch (error) {
      throw of(instances[index]!, `cannot be read: ${messageOf(error)}`, error)
    }
  }
  const requests = instances.map((instance, index) => {
    const request = new StoreRequest(instance, () => load(index + 1).catch(reject))
    request.on('response', (response) => {
      waiting--
      const status = response.getStatus()
      if (isTaken(status)) return
      reject(of(instance, `was refused with status ${hexOf(status)}${comment(response.getErrorComment())}`))
    })
    return request
  })

  client.on('associationAccepted', (association) => {
    const refused = instances.find((instance) => !accepts(association, instance))
    if (refused !== undefined) return reject(contextRefused(refused, failed))
    for (const request of requests.slice(1)) client.addRequest(request)
  })
  client.on('associationRejected', ({ result, source, reason }) => {
    const numbers = `result ${result}, source ${source}, reason ${reason}`
    reject(failed(`the association was rejected (${numbers}): check the AE titles on both sides`))
  })
  client.on('networkError', (error) => reject(failed(messageOf(error).replace(/^.*-> /, ''), error)))
  client.on('closed', () => {
    if (waiting === 0) resolve()
    else
      reject(
        failed(`the connection was closed before ${waiting} of ${instances.length} instances were taken`),
      )
  })
  const giveUp = () => reject(failed('the run has ended'))
  signal.addEventListener('abort', giveUp, { once: true })

  await load(0)
  client.addRequest(requests[0]!)
  for (const context of contextsOf(instances)) client.addAdditionalPresentationContext(context, true)
  client.send(receiver.host, receiver.port, receiver.callingAet, receiver.aet, timeouts)
  const { network } = client as unknown as HiddenNetwork
  network.on('abort', () => reject(failed('the receiver aborted the association')))
  network.socket.setNoDelay(true)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', giveUp)
    network.socket.destroy()
  }
}

/** Success, or a warning: the instance was stored (PS3.4, B.2.3). */
function isTaken(status: number): boolean {
  return status === 0 || (status & 0xf000) === 0xb000
}

function contextsOf(instances: readonly Outgoing[]) {
  const byUids = new Map(instances.map((each) => [`${each.sopClassUid} ${each.transferSyntaxUid}`, each]))
  return [...byUids.values()].map(
    (each) => new dimse.association.PresentationContext(0, each.sopClassUid, each.transferSyntaxUid),
  )
}

function accepts(association: dimse.association.Association, instance: Outgoing): boolean {
  return association
    .getPresentationContexts()
    .map(({ context }) => context)
    .some(
      (context) =>
        context.getResult() === dimse.constants.PresentationContextResult.Accept &&
        context.getAbstractSyntaxUid() === instance.sopClassUid &&
        context.getAcceptedTransferSyntaxUid() === instance.transferSyntaxUid,
    )
}

function contextRefused(instance: Outgoing, failed: (reason: string) => OnStableError): OnStableError {
  const { id, sopClassUid, transferSyntaxUid } = instance
  const uids = `SOP class ${sopClassUid} in transfer syntax ${transferSyntaxUid}`
  return failed(`instance ${id} is not accepted: the receiver does not take ${uids}`)
}

function hexOf(status: number): string {
  return `0x${status.toString(16).toUpperCase().padStart(4, '0')}`
}

function comment(text: string | undefined): string {
  return text === undefined || text === '' ? '' : ` (${text})`
}
