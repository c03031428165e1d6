/** A DICOM receiver on raw sockets, that keeps what it is sent and misbehaves when told to. */

import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import {
  acceptance,
  type CommandFacts,
  commandFacts,
  type Proposal,
  proposalsOf,
  storeAnswer,
} from './dimse-replies.ts'
import { type ProtocolUnit, protocolUnit, unitsOf } from './protocol-units.ts'

export interface TakenInstance {
  /** Numbers of the association, from 0. */
  readonly association: number
  readonly sopInstanceUid: string
  readonly transferSyntax: string
  readonly dataset: Buffer
}

/** What is done instead of answering: nothing at all, an abort, an end of the connection. */
export type Misbehaviour = 'silence' | 'abort' | 'end'

export interface RawReceiverOptions {
  /** `reject`: refuses the association with reason 7, "called AE title not recognized". */
  readonly associate?: 'reject' | Misbehaviour
  /** Whether a context is accepted; all are without. */
  readonly accepts?: (proposal: Proposal) => boolean
  /** The status with which the n-th instance, from 0, is answered, or what is done instead. */
  readonly answer?: (number: number) => number | Misbehaviour
  readonly release?: Misbehaviour
  readonly comment?: string
}

export interface RawReceiver extends AsyncDisposable {
  readonly port: number
  /** Instances that were answered with success or a warning. */
  readonly taken: readonly TakenInstance[]
  /** Of each association that was asked for. */
  readonly proposals: readonly (readonly Proposal[])[]
  /** Connections that are open now. */
  openConnections(): number
}

export async function startRawReceiver(options: RawReceiverOptions = {}): Promise<RawReceiver> {
  const taken: TakenInstance[] = []
  const proposals: (readonly Proposal[])[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    void serve(socket, options, taken, proposals)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    proposals,
    openConnections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serve(
  socket: Socket,
  options: RawReceiverOptions,
  taken: TakenInstance[],
  allProposals: (readonly Proposal[])[],
): Promise<void> {
  const nextUnit = unitsOf(socket)
  const request = await nextUnit()
  if (request === null) return
  const association = allProposals.length
  const proposals = proposalsOf(request)
  allProposals.push(proposals)
  if (options.associate === 'reject') return void socket.end(protocolUnit(0x03, Buffer.from([0, 1, 1, 7])))
  if (options.associate !== undefined) return misbehave(socket, options.associate)
  const accepts = options.accepts ?? (() => true)
  socket.write(acceptance(request, proposals, accepts))
  const messages = messagesOf(nextUnit)
  for await (const { command, dataset, context } of messages) {
    const answer = options.answer?.(taken.length) ?? 0
    if (typeof answer === 'string') return misbehave(socket, answer)
    const transferSyntax = proposals.find(({ id }) => id === context)!.transferSyntaxes[0]!
    const { sopInstanceUid } = command
    if (answer === 0 || answer >> 12 === 0xb)
      taken.push({ association, sopInstanceUid, transferSyntax, dataset })
    socket.write(storeAnswer(command, { context, status: answer, comment: options.comment ?? '' }))
  }
  if (options.release !== undefined) return misbehave(socket, options.release)
  socket.end(protocolUnit(0x06, Buffer.alloc(4)))
}

function misbehave(socket: Socket, how: Misbehaviour): void {
  if (how === 'abort') socket.end(protocolUnit(0x07, Buffer.from([0, 0, 2, 0])))
  if (how === 'end') socket.end()
}

interface Message {
  readonly command: CommandFacts
  readonly dataset: Buffer
  readonly context: number
}

/** The stores of an association, until it is released or ends. */
async function* messagesOf(nextUnit: () => Promise<ProtocolUnit | null>): AsyncGenerator<Message> {
  let command: Buffer[] = []
  let dataset: Buffer[] = []
  for (let unit = await nextUnit(); unit?.type === 0x04; unit = await nextUnit()) {
    for (let at = 0; at + 6 <= unit.body.length; ) {
      const end = at + 4 + unit.body.readUInt32BE(at)
      const control = unit.body[at + 5]!
      const bytes = unit.body.subarray(at + 6, end)
      if ((control & 1) === 1) command.push(bytes)
      else dataset.push(bytes)
      if (control === 2) {
        const context = unit.body[at + 4]!
        yield { command: commandFacts(Buffer.concat(command)), dataset: Buffer.concat(dataset), context }
        command = []
        dataset = []
      }
      at = end
    }
  }
}
