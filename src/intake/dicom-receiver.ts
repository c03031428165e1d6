/** The C-STORE and C-ECHO receiver: takes in what modalities send. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Settings } from '../config.ts'
import { fault, isSystemError } from '../errors.ts'
import { BackPressure } from '../lib/back-pressure.ts'
import type { Log } from '../log.ts'
import { addressOf, DicomAssociation } from './dicom-association.ts'
import type { Intake } from './intake.ts'
import type { NegotiationSettings } from './negotiation.ts'

export interface DicomReceiverParts {
  readonly intake: Pick<Intake, 'accept'>
  readonly settings: NegotiationSettings &
    Pick<Settings, 'host' | 'dicomPort' | 'callingAddresses' | 'maxInstanceMb'>
  readonly log: Log
  /** A connection on which nothing comes for so long is cut. */
  readonly idleMs?: number
  /** Above this much in memory, senders are held back. */
  readonly memoryBytes?: number
}

export interface DicomReceiver extends AsyncDisposable {
  readonly port: number
  /** Stops accepting, lets the stores in flight be answered, and ends the connections. */
  close(): Promise<void>
}

/** Connections that have not asked for an association yet, beyond those that may have one. */
const spareConnections = 32

/** @throws `port-in-use`, `bad-setting` if it cannot listen at the host and port of the settings */
export async function startDicomReceiver(parts: DicomReceiverParts): Promise<DicomReceiver> {
  const { intake, settings, log } = parts
  const associations = new Set<DicomAssociation>()
  const backPressure = new BackPressure(parts.memoryBytes ?? 256 * 1024 * 1024)

  const server = createServer((socket) => {
    if (!mayConnect(socket, settings.callingAddresses)) {
      log.warn(
        { remoteIp: addressOf(socket) },
        'Refused a DICOM connection: its address is not in "callingAddresses"',
      )
      socket.destroy()
      return
    }
    const association = new DicomAssociation(socket, {
      intake,
      settings,
      log,
      backPressure,
      idleMs: parts.idleMs ?? 60_000,
      openAssociations: () => [...associations].filter(({ isOpen }) => isOpen).length,
    })
    associations.add(association)
    socket.once('close', () => associations.delete(association))
  })
  server.maxConnections = settings.maxAssociations + spareConnections
  const port = await listen(server, settings.host, settings.dicomPort)
  server.on('error', (error) => log.error({ reason: error.message }, 'Cannot accept a DICOM connection'))

  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await Promise.all([...associations].map((association) => association.close()))
    await closed
  }
  return { port, close, [Symbol.asyncDispose]: close }
}

function mayConnect(socket: Socket, callingAddresses: readonly string[]): boolean {
  return callingAddresses.length === 0 || callingAddresses.includes(addressOf(socket))
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      if (isSystemError(cause, 'EADDRINUSE')) {
        const message = `DICOM port ${port} is in use: choose another with --dicom-port, or stop what uses it`
        reject(fault('port-in-use', message, { cause }))
      } else {
        const message = `Cannot receive DICOM at ${host}, port ${port}: ${cause.message}; see --host and --dicom-port`
        reject(fault('bad-setting', message, { cause }))
      }
    })
    server.listen(port, host, () => {
      const address = server.address()
      server.removeAllListeners('error')
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
