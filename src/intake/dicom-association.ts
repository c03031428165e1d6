/** One sender's connection: what it sends is kept byte by byte, and answered when it is durable. */
import type { Socket } from 'node:net'
import dimse from 'dcmjs-dimse'
import type { Settings } from '../config.ts'
import { fileMetaInformation, readHeader } from '../dicom/dicom.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Origin } from '../store/store.ts'
import type { BackPressure, Sender } from './back-pressure.ts'
import type { Intake } from './intake.ts'
import { agreeOnContexts, type NegotiationSettings, type Refusal, refusalOf } from './negotiation.ts'
import { ReceivedDataset } from './received-dataset.ts'
import {
  cannotUnderstand,
  dataSetDoesNotMatch,
  outOfResources,
  statusOfFailure,
  success,
} from './store-status.ts'

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
    socket.setTimeout(parts.idleMs, () => this.#onIdle())
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
    if (this.#isOpen) return this.#drop('it asked for a second association')
    const refusal = refusalOf(association, this.#parts.settings, this.#parts.openAssociations())
    if (refusal !== null) return this.#refuse(refusal)
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
    this.#receiving = new ReceivedDataset(
      context.getAcceptedTransferSyntaxUid() ?? '',
      largestBytes,
      (bytes) => {
        this.#messageBytes -= Math.max(bytes, 0)
        if (bytes > 0) this.#parts.backPressure.take(this, bytes)
        else this.#parts.backPressure.giveBack(this, -bytes)
      },
    )
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
    const received = request.getDataset() as unknown as ReceivedDataset | undefined
    const storing = this.#store(request, received).then((status) => {
      received?.letGo()
      const response = CStoreResponse.fromRequest(request)
      response.setStatus(status)
      if (!this.#socket.destroyed) answer(response)
    })
    const inFlight = storing
      .catch((thrown) => this.#drop(messageOf(thrown)))
      .finally(() => {
        this.#inFlight.delete(inFlight)
        this.#readOnOrWait()
      })
    this.#inFlight.add(inFlight)
    this.#readOnOrWait()
  }

  /** Never rejects: every end is a status. */
  async #store(request: StoreRequest, received: ReceivedDataset | undefined): Promise<number> {
    const { intake, log } = this.#parts
    if (received === undefined) return cannotUnderstand
    if (received.isTooLarge) {
      log.warn({ remoteAet: this.#origin.remoteAet }, 'Refused an instance larger than "maxInstanceMb"')
      return outOfResources
    }
    try {
      const meta = fileMetaInformation({
        sopClassUid: uidOf(request.getAffectedSopClassUid()),
        sopInstanceUid: uidOf(request.getAffectedSopInstanceUid()),
        transferSyntaxUid: received.transferSyntaxUid,
        sourceAet: this.#origin.remoteAet,
      })
      const file = [meta, ...received.chunks]
      const header = readHeader(file)
      if (
        header.sopInstanceUid !== uidOf(request.getAffectedSopInstanceUid()) ||
        header.sopClassUid !== uidOf(request.getAffectedSopClassUid())
      ) {
        log.warn(
          { remoteAet: this.#origin.remoteAet },
          'Refused an instance that is not what its command says',
        )
        return dataSetDoesNotMatch
      }
      await intake.receive(file, header, this.#origin)
      return success
    } catch (thrown) {
      log.warn(
        { remoteAet: this.#origin.remoteAet, reason: messageOf(thrown) },
        'Could not store an instance',
      )
      return statusOfFailure(thrown)
    }
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
    if (this.#messageBytes > largestMessageBytes && this.#receiving?.isTooLarge !== true) {
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: UIDs are padded with a null byte
  return (value ?? '').replace(/[\0 ]+$/, '')
}
