/**
 * One sender's connection: what it sends is kept byte by byte, and answered when it is durable. Of the upper
 * layer's states (PS3.8, section 9.2) an acceptor needs four:
 *
 *   waiting ─request─► open ─release request─► ended
 *      └──refused────────┴──abort, violation, silence──► cut
 */
import type { Socket } from 'node:net'
import type { Settings } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { BackPressure, Sender } from '../lib/back-pressure.ts'
import { freeMemory } from '../lib/free-memory.ts'
import type { Log } from '../log.ts'
import type { Origin } from '../store/store.ts'
import { acceptUnit, type ContextAnswer, readAssociationRequest, rejectUnit } from './association-request.ts'
import { storeReceived, success } from './c-store.ts'
import { type Command, commandField, isResponse, responseTo } from './command-set.ts'
import { type DataPiece, DataValueReader } from './data-values.ts'
import type { Intake } from './intake.ts'
import { type Message, MessageReader } from './message-reader.ts'
import { agreeOn, type NegotiationSettings, refusalOf } from './negotiation.ts'
import { commandUnit, ProtocolViolation, unit, unitType } from './protocol-units.ts'
import type { ReceivedDataset } from './received-dataset.ts'
import { UnitReader } from './unit-reader.ts'

export interface AssociationParts {
  readonly intake: Pick<Intake, 'accept'>
  readonly settings: NegotiationSettings & Pick<Settings, 'maxInstanceMb'>
  readonly log: Log
  readonly backPressure: BackPressure
  readonly idleMs: number
  /** How many associations are open besides the one that asks. */
  openAssociations(): number
}

const largestUnitBytes = 131_072
/** A sender that does not wait for answers is not read on while so many of its stores are being written. */
const mostStoresInFlight = 4
const afterReleaseMs = 5_000
/** PS3.7, annex C. */
const unrecognizedOperation = 0x0211

export class DicomAssociation implements Sender {
  readonly #socket: Socket
  readonly #parts: AssociationParts
  readonly #units: UnitReader
  readonly #messages: MessageReader
  readonly #inFlight = new Set<Promise<void>>()
  #origin: Origin
  #contexts: ReadonlyMap<number, ContextAnswer> = new Map()
  #hasAsked = false
  #isOpen = false
  #isHeldBack = false
  #isClosing = false

  constructor(socket: Socket, parts: AssociationParts) {
    this.#socket = socket
    this.#parts = parts
    this.#origin = {
      requestOrigin: 'DicomProtocol',
      remoteIp: addressOf(socket),
      remoteAet: '',
      calledAet: '',
      username: '',
    }
    const largestBytes = Math.floor(parts.settings.maxInstanceMb * 1024 * 1024)
    this.#messages = new MessageReader(largestBytes, (change) => {
      if (change > 0) parts.backPressure.take(this, change)
      else parts.backPressure.giveBack(this, -change)
    })
    const values = new DataValueReader((piece) => this.#onPiece(piece))
    this.#units = new UnitReader({
      onDataUnit: (bodyBytes) => {
        if (!this.#isOpen) throw new ProtocolViolation('it sent data outside an association')
        values.begin(bodyBytes)
      },
      onData: (bytes) => values.read(bytes),
      onUnit: (type, body) => this.#onUnit(type, body),
    })
    socket.setNoDelay(true)
    socket.on('timeout', () => this.#onIdle())
    socket.setTimeout(parts.idleMs)
    socket.on('data', (bytes: Buffer) => this.#onData(bytes))
    socket.on('drain', () => this.#readOnOrWait())
    socket.on('error', (error) => this.#drop(error.message))
    socket.once('close', () => this.#onClosed())
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
    // By the service provider, for no reason that the protocol has a number for (PS3.8, section 9.3.8).
    if (this.#isOpen) this.#socket.write(unit(unitType.abort, Buffer.from([0, 0, 2, 0])))
    this.#socket.destroySoon()
  }

  #onData(bytes: Buffer): void {
    try {
      this.#units.read(bytes)
    } catch (thrown) {
      if (!(thrown instanceof ProtocolViolation))
        this.#parts.log.error({ reason: messageOf(thrown) }, 'DICOM')
      this.#drop(messageOf(thrown))
    } finally {
      // What is kept of them was copied.
      freeMemory([bytes])
    }
  }

  #onUnit(type: number, body: Buffer): void {
    switch (type) {
      case unitType.associateRequest:
        this.#onRequest(body)
        break
      case unitType.releaseRequest:
        void this.#release()
        break
      case unitType.abort:
        this.#drop('the sender aborted it')
        break
      default:
        throw new ProtocolViolation(`it sent a unit that only an acceptor sends, of type ${type}`)
    }
  }

  #onRequest(body: Buffer): void {
    if (this.#hasAsked) throw new ProtocolViolation('it asked for a second association')
    this.#hasAsked = true
    const request = readAssociationRequest(body)
    const { settings, log } = this.#parts
    const refusal = refusalOf(request, settings, this.#parts.openAssociations())
    if (refusal !== null) {
      log.warn({ remoteIp: this.#origin.remoteIp }, `Refused an association: ${refusal.text}`)
      this.#socket.write(rejectUnit(refusal))
      this.#socket.setTimeout(afterReleaseMs)
      return
    }
    const answers = agreeOn(request.contexts)
    this.#isOpen = true
    this.#contexts = new Map(answers.filter(({ result }) => result === 0).map((each) => [each.id, each]))
    this.#origin = { ...this.#origin, remoteAet: request.callingAet, calledAet: request.calledAet }
    this.#socket.write(acceptUnit(request, answers, largestUnitBytes))
  }

  /** What is being stored is answered first: whoever has the answer to a release listens no more. */
  async #release(): Promise<void> {
    this.#isOpen = false
    await Promise.all(this.#inFlight)
    if (this.#socket.destroyed) return
    this.#socket.write(unit(unitType.releaseResponse, Buffer.alloc(4)))
    this.#socket.setTimeout(afterReleaseMs)
  }

  #onPiece(piece: DataPiece): void {
    const context = this.#contexts.get(piece.contextId)
    if (context === undefined) throw new ProtocolViolation('it used a context that was not accepted')
    const message = this.#messages.add(piece, context)
    if (message !== null) this.#onMessage(message)
  }

  #onMessage({ contextId, command, dataset }: Message): void {
    const answer = (status: number) => {
      if (this.#socket.destroyed) return
      this.#socket.write(commandUnit(contextId, responseTo(command, status)))
      this.#readOnOrWait()
    }
    if (command.field === commandField.storeRequest) {
      this.#store(command, dataset, answer)
      return
    }
    dataset?.letGo()
    if (isResponse(command)) throw new ProtocolViolation('it answered what nobody asked')
    if (command.field === commandField.cancelRequest) return
    answer(command.field === commandField.echoRequest ? success : unrecognizedOperation)
  }

  #store(command: Command, dataset: ReceivedDataset | null, answer: (status: number) => void): void {
    const inFlight = storeReceived(this.#parts, command, dataset, this.#origin)
      .then(answer)
      .catch((thrown) => this.#drop(messageOf(thrown)))
      .finally(() => {
        dataset?.letGo()
        this.#inFlight.delete(inFlight)
        this.#readOnOrWait()
      })
    this.#inFlight.add(inFlight)
    this.#readOnOrWait()
  }

  #readOnOrWait(): void {
    // A sender that does not take its answers could have us keep ever more of them.
    const waits =
      this.#isHeldBack ||
      this.#isClosing ||
      this.#inFlight.size >= mostStoresInFlight ||
      this.#socket.writableNeedDrain
    if (waits) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  #onIdle(): void {
    const waitsForUs = this.#inFlight.size > 0 || this.#isHeldBack
    if (waitsForUs) this.#socket.setTimeout(this.#parts.idleMs)
    else this.#drop('nothing came for too long')
  }

  #drop(reason: string): void {
    if (this.#socket.destroyed) return
    this.#parts.log.info({ remoteIp: this.#origin.remoteIp, reason }, 'Cut a DICOM connection')
    this.#units.end()
    this.#socket.destroy()
  }

  #onClosed(): void {
    this.#isOpen = false
    this.#units.end()
    this.#messages.letGo()
    this.#parts.backPressure.leave(this)
  }
}

/** The address of the other end; IPv4 as IPv4 also where the socket speaks IPv6. */
export function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}
