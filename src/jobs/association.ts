/**
 * One association on which instances are stored, one after the other, each read when its turn comes.
 *
 *   read the first ─► associate ─► every context accepted? ─► store ─► response ─► read the next … ─► release
 */
import type { Socket } from 'node:net'
import dimse from 'dcmjs-dimse'
import { fault, messageOf, type OnStableError } from '../errors.ts'
import { accepts, contextsOf, reasonOf } from './contexts.ts'
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

/** How long a receiver is waited for. */
export interface SendLimits {
  readonly connectMs: number
  readonly associateMs: number
  /** From one answer to the next. */
  readonly answerMs: number
  readonly releaseMs: number
}

const usualLimits: SendLimits = {
  connectMs: 60_000,
  associateMs: 30_000,
  answerMs: 600_000,
  releaseMs: 5_000,
}

/** The library's limits, out of the way of ours: its first one would also end a wait for an answer. */
const anHourMs = 3_600_000
const timeouts = { connectTimeout: anHourMs, associationTimeout: anHourMs, pduTimeout: anHourMs }

export interface Sending {
  readonly receiver: Receiver
  /** What is not said is as usual. */
  readonly limits: Partial<SendLimits>
  readonly signal: AbortSignal
}

/** @throws `send-failed` at the first instance that is not taken; the association is given up then */
export async function storeOverAssociation(
  instances: readonly Outgoing[],
  { receiver, limits: given, signal }: Sending,
): Promise<void> {
  const limits = { ...usualLimits, ...given }
  const failed = (reason: string, cause?: unknown) =>
    fault('send-failed', `Cannot send to "${receiver.name}": ${reason}`, { cause })
  // The library writes its log, with what it sends, to the console.
  dimse.log.setLevel('silent')
  const client = new dimse.Client()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let waiting = instances.length
  /** Of the connection as a whole: when all is taken, it does not matter any more how that ends. */
  const fail = (error: OnStableError) => (waiting === 0 ? resolve() : reject(error))
  let patience: NodeJS.Timeout | undefined
  const expectWithin = (limitMs: number, what: string) => {
    clearTimeout(patience)
    patience = setTimeout(() => fail(failed(`no ${what} within ${limitMs / 1_000} s`)), limitMs)
  }
  const expectAnswer = () => {
    const next = instances[instances.length - waiting]
    if (next === undefined) expectWithin(limits.releaseMs, 'answer to the release')
    else expectWithin(limits.answerMs, `answer for instance ${next.id}`)
  }

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
      if (isTaken(status)) return expectAnswer()
      reject(of(instance, `was refused with status ${hexOf(status)}${comment(response.getErrorComment())}`))
    })
    return request
  })

  client.on('associationAccepted', (association) => {
    const refused = instances.find((instance) => !accepts(association, instance))
    if (refused !== undefined) return reject(of(refused, `is not accepted: ${reasonOf(refused)}`))
    for (const request of requests.slice(1)) client.addRequest(request)
    expectAnswer()
  })
  client.on('associationRejected', ({ result, source, reason }) => {
    const numbers = `result ${result}, source ${source}, reason ${reason}`
    reject(failed(`the association was rejected (${numbers}): check the AE titles on both sides`))
  })
  client.on('networkError', (error) => fail(failed(messageOf(error).replace(/^.*-> /, ''), error)))
  client.on('closed', () =>
    fail(failed(`the connection was closed before ${waiting} of ${instances.length} instances were taken`)),
  )

  await load(0)
  if (signal.aborted) throw failed('the run has ended')
  const giveUp = () => reject(failed('the run has ended'))
  signal.addEventListener('abort', giveUp, { once: true })
  client.addRequest(requests[0]!)
  for (const context of contextsOf(instances)) client.addAdditionalPresentationContext(context, true)
  client.send(receiver.host, receiver.port, receiver.callingAet, receiver.aet, timeouts)
  const { network } = client as unknown as HiddenNetwork
  network.on('abort', () => fail(failed('the receiver aborted the association')))
  network.socket.setNoDelay(true)
  expectWithin(limits.connectMs, `connection to ${receiver.host}:${receiver.port}`)
  network.socket.once('connect', () =>
    expectWithin(limits.associateMs, 'answer to the request for an association'),
  )
  try {
    await promise
  } finally {
    clearTimeout(patience)
    signal.removeEventListener('abort', giveUp)
    network.socket.destroy()
  }
}

/** Success, or a warning: the instance was stored (PS3.4, B.2.3). */
function isTaken(status: number): boolean {
  return status === 0 || (status & 0xf000) === 0xb000
}

function hexOf(status: number): string {
  return `0x${status.toString(16).toUpperCase().padStart(4, '0')}`
}

function comment(text: string | undefined): string {
  return text === undefined || text === '' ? '' : ` (${text})`
}
