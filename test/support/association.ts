/** A DICOM client on a raw socket: it proposes and sends just what it is told, also what no library would. */
import { connect, type Socket } from 'node:net'
import {
  type Answer,
  answerOf,
  associateRequest,
  type ContextAnswer,
  contextAnswers,
  ctImageStorage,
  echoCommand,
  fragment,
  type Proposal,
  storeCommand,
} from './dimse-messages.ts'
import { type ProtocolUnit, protocolUnit, unitsOf } from './protocol-units.ts'

/** An end of a connection, which sends bytes as they are and reads nothing before it is asked. */
export interface Peer extends Disposable {
  readonly socket: Socket
  /** Resolves when the system has taken the bytes, or when the connection has ended. */
  send(bytes: Buffer): Promise<void>
  /** Null when the connection has ended. */
  nextUnit(): Promise<ProtocolUnit | null>
  nextAnswer(): Promise<Answer>
  /** Resolves when the other end has ended the connection. What still comes is thrown away. */
  cut(): Promise<void>
}

export interface Association extends Peer {
  /** In the order of the proposals. */
  readonly contexts: readonly ContextAnswer[]
  /** Sends a C-STORE on a context, numbered from 0, and gives back the status of the answer. */
  store(instance: OutgoingInstance): Promise<number>
  /** Sends the command of a C-STORE, and so many bytes of its dataset. */
  beginStore(instance: OutgoingInstance, datasetBytes: number): Promise<void>
  /** A C-ECHO; its status. */
  echo(context?: number): Promise<number>
  release(): Promise<void>
}

export interface OutgoingInstance {
  readonly sopInstanceUid: string
  readonly dataset: Buffer
  readonly sopClassUid?: string
  readonly context?: number
}

/** Why an association was refused (PS3.8, 9.3.4), or that the connection was cut. */
export type Refusal = { readonly result: number; readonly source: number; readonly reason: number } | 'cut'

export interface RequestOptions {
  readonly proposals: readonly Proposal[]
  readonly callingAet?: string
  readonly calledAet?: string
}

export function connectTo(port: number): Peer {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => {})
  const nextUnit = unitsOf(socket)
  return {
    socket,
    send: (bytes) => new Promise((resolve) => void socket.write(bytes, () => resolve())),
    nextUnit,
    nextAnswer: async () => answerOf(await nextUnit()),
    async cut() {
      while ((await nextUnit()) !== null);
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** A-ASSOCIATE-RQ. */
export function requestUnit(options: RequestOptions): Buffer {
  return protocolUnit(0x01, associateRequest({ callingAet: 'TEST', calledAet: 'ONSTABLE', ...options }))
}

/** Opens an association, or says why it was refused. */
export async function associate(port: number, options: RequestOptions): Promise<Association | Refusal> {
  const peer = connectTo(port)
  const { socket, nextUnit } = peer
  socket.write(requestUnit(options))
  const answer = await nextUnit()
  if (answer === null || answer.type === 0x07) {
    socket.destroy()
    return 'cut'
  }
  if (answer.type === 0x03) {
    socket.destroy()
    return { result: answer.body[1]!, source: answer.body[2]!, reason: answer.body[3]! }
  }
  let messageId = 0
  const statusOfNext = async () => (await peer.nextAnswer()).status
  return {
    ...peer,
    contexts: contextAnswers(answer),
    async store(instance) {
      socket.write(
        fragment(storeCommand(uidsOf(instance), ++messageId), { context: instance.context, isCommand: true }),
      )
      socket.write(fragment(instance.dataset, { context: instance.context }))
      return await statusOfNext()
    },
    async beginStore(instance, datasetBytes) {
      socket.write(
        fragment(storeCommand(uidsOf(instance), ++messageId), { context: instance.context, isCommand: true }),
      )
      const part = instance.dataset.subarray(0, datasetBytes)
      await new Promise<void>((resolve) => {
        socket.write(fragment(part, { context: instance.context, isLast: false }), () => resolve())
      })
    },
    async echo(context) {
      socket.write(fragment(echoCommand(++messageId), { context, isCommand: true }))
      return await statusOfNext()
    },
    async release() {
      socket.write(protocolUnit(0x05, Buffer.alloc(4)))
      const answered = await nextUnit()
      if (answered?.type !== 0x06) throw new Error('The release was not answered')
      socket.destroy()
    },
  }
}

/** As `associate`, where a refusal is a failure of the test. */
export async function associated(port: number, options: RequestOptions): Promise<Association> {
  const association = await associate(port, options)
  if (association === 'cut' || 'reason' in association) {
    throw new Error(`The association was refused: ${JSON.stringify(association)}`)
  }
  return association
}

function uidsOf({ sopInstanceUid, sopClassUid = ctImageStorage }: OutgoingInstance) {
  return { sopInstanceUid, sopClassUid }
}
