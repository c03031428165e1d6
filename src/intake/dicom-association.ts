/** One sender's connection: what it sends is kept byte by byte, and answered when it is durable. */
import type { Socket } from 'node:net'
import dimse from 'dcmjs-dimse'
import type { Settings } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Origin } from '../store/store.ts'
import type { BackPressure, Sender } from './back-pressure.ts'
import { storeReceived, success } from './c-store.ts'
import { storeResponse } from './c-store-response.ts'
import type { Intake } from './intake.ts'
import { agreeOnContexts, type NegotiationSettings, type Refusal, refusalOf } from './negotiation.ts'
import { ReceivedDataset } from './received-dataset.ts'

type Requests = typeof dimse.requests
type EchoRequest = InstanceType<Requests['CEchoRequest']>
type StoreRequest = InstanceType<Requests['CStoreRequest']>
type PresentationContext = dimse.association.PresentationContext
type Dataset = InstanceType<typeof dimse.Dataset>
const { CEchoResponse, CStoreResponse } = dimse.responses
const { AbortReason, AbortSource } = dimse.constants

export interface AssociationParts {
  readonly intake: Pick<Intake, 'receive'>
  readonly settings: NegotiationSettings & Pick<Settings, 'maxInstanceMb'>
  readonly log: Log
  readonly backPressure: BackPressure
  readonly idleMs: number
  /** How many associations are open besides the one that asks. */
  openAssociations(): number
}

/** What a message may have besides the pixel data that is counted elsewhere. */
const largestMessageBytes = 2 * 1024 * 1024
const largestPduBytes = 131_072
/** A sender that does not wait for answers is not read on while so many of its stores are being written. */
const mostStoresInFlight = 4
const afterReleaseMs = 5_000

export class DicomAssociation extends dimse.Scp implements Sender {
  readonly #socket: Socket
  readonly #parts: AssociationParts
  readonly #inFlight = new Set<Promise<void>>()
  #origin: Origin
  #isOpen = false
  #isHeldBack = false
  #isClosing = false
  #receiving: ReceivedDataset | null = null
  #messageBytes = 0

  constructor(socket: Socket, parts: AssociationParts) {
    super(socket)
    this.#socket = socket
    this.#parts = parts
    this.#origin = {
      requestOrigin: 'DicomProtocol',
      remoteIp: addressOf(socket),
      remoteAet: '',
      calledAet: '',
      username: '',
    }
    socket.setNoDelay(true)
    // The library would end a connection that waits for us.
    socket.removeAllListeners('timeout')
    socket.on('timeout', () => this.#onIdle())
    socket.setTimeout(parts.idleMs)
    socket.on('data', (bytes: Buffer) => this.#countMessage(bytes.length))
    socket.once('close', () => this.#onClosed())
    this.on('networkError', (error: Error) => this.#drop(messageOf(error)))
    parts.backPressure.join(this)
  }

  /** True from the moment it was accepted until it is released or cut. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  setHeldBack(isHeldBack: boolean): void {
    this.#isHeldBack = isHeldBack
    this.#readOnOrWait()
  }

  /** Reads no more, lets the stores in flight be answered, and ends the connection. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#readOnOrWait()
    await Promise.all(this.#inFlight)
    if (this.#socket.destroyed) return
    if (this.#isOpen) this.sendAbort(AbortSource.ServiceProvider, AbortReason.NotSpecified)
    this.#socket.destroySoon()
  }

  override associationRequested(association: dimse.association.Association): void {
    const refusal = refusalOf(association, this.#parts.settings, this.#parts.openAssociations())
    if (this.#isOpen) this.#drop('it asked for a second association')
    else if (refusal !== null) this.#refuse(refusal)
    else this.#accept(association)
  }

  #accept(association: dimse.association.Association): void {
    this.#isOpen = true
    this.#messageBytes = 0
    this.#origin = {
      ...this.#origin,
      remoteAet: association.getCallingAeTitle(),
      calledAet: association.getCalledAeTitle(),
    }
    agreeOnContexts(association)
    // What the sender takes says nothing of what we take, which is what the answer is about.
    association.setMaxPduLength(largestPduBytes)
    this.sendAssociationAccept()
  }

  override associationReleaseRequested(): void {
    this.#isOpen = false
    this.sendAssociationReleaseResponse()
    this.#socket.setTimeout(afterReleaseMs)
  }

  override abort(): void {
    this.#drop('the sender aborted it')
  }

  override cEchoRequest(
    request: EchoRequest,
    answer: (response: InstanceType<typeof CEchoResponse>) => void,
  ): void {
    this.#messageBytes = 0
    const response = CEchoResponse.fromRequest(request)
    response.setStatus(success)
    answer(response)
  }

  override createStoreWritableStream(context: PresentationContext): ReceivedDataset {
    const largestBytes = Math.floor(this.#parts.settings.maxInstanceMb * 1024 * 1024)
    this.#receiving = new ReceivedDataset(context, largestBytes, {
      arrived: (bytes) => {
        this.#messageBytes -= bytes
      },
      held: (change) => {
        if (change > 0) this.#parts.backPressure.take(this, change)
        else this.#parts.backPressure.giveBack(this, -change)
      },
    })
    return this.#receiving
  }

  /** The bytes travel with the request, in the place of the dataset that the library would have made. */
  override createDatasetFromStoreWritableStream(
    stream: ReceivedDataset,
    _context: PresentationContext,
    done: (dataset: Dataset) => void,
  ): void {
    this.#receiving = null
    done(stream as unknown as Dataset)
  }

  override cStoreRequest(
    request: StoreRequest,
    answer: (response: InstanceType<typeof CStoreResponse>) => void,
  ): void {
    this.#messageBytes = 0
    const received = (request.getDataset() as unknown as ReceivedDataset | undefined) ?? null
    const command = {
      sopClassUid: uidOf(request.getAffectedSopClassUid()),
      sopInstanceUid: uidOf(request.getAffectedSopInstanceUid()),
    }
    const inFlight = storeReceived(this.#parts, command, received, this.#origin)
      .then((status) => {
        if (this.#socket.destroyed) return
        if (received === null) {
          // Only the library knows the presentation context of a command without a dataset.
          const response = CStoreResponse.fromRequest(request)
          response.setStatus(status)
          answer(response)
          return
        }
        const { presentationContextId } = received
        const messageId = request.getMessageId()
        this.#socket.write(storeResponse({ presentationContextId, messageId, ...command, status }))
      })
      .catch((thrown) => this.#drop(messageOf(thrown)))
      .finally(() => {
        received?.letGo()
        this.#inFlight.delete(inFlight)
        this.#readOnOrWait()
      })
    this.#inFlight.add(inFlight)
    this.#readOnOrWait()
  }

  #refuse(refusal: Refusal): void {
    this.#parts.log.warn({ remoteIp: this.#origin.remoteIp }, `Refused an association: ${refusal.text}`)
    this.sendAssociationReject(refusal.result, refusal.source, refusal.reason)
    this.#socket.setTimeout(afterReleaseMs)
  }

  #readOnOrWait(): void {
    const waits = this.#isHeldBack || this.#isClosing || this.#inFlight.size >= mostStoresInFlight
    if (waits) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  /** The library collects commands and packets without a limit of its own. */
  #countMessage(bytes: number): void {
    this.#messageBytes = Math.max(this.#messageBytes, 0) + bytes
    if (this.#messageBytes > largestMessageBytes) {
      this.#drop('it sent a command or a packet larger than any should be')
    }
  }

  #onIdle(): void {
    const waitsForUs = this.#inFlight.size > 0 || this.#isHeldBack
    if (waitsForUs) this.#socket.setTimeout(this.#parts.idleMs)
    else this.#drop('nothing came for too long')
  }

  #drop(reason: string): void {
    if (this.#socket.destroyed) return
    this.#parts.log.info({ remoteIp: this.#origin.remoteIp, reason }, 'Cut a DICOM connection')
    this.#socket.destroy()
  }

  #onClosed(): void {
    this.#isOpen = false
    this.#receiving?.letGo()
    this.#receiving = null
    this.#parts.backPressure.leave(this)
  }
}

/** The address of the other end; IPv4 as IPv4 also where the socket speaks IPv6. */
export function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}

/** A UID of a command, without its padding. */
function uidOf(value: string | undefined): string {
  return (value ?? '').replace(/[\0 ]+$/, '')
}
