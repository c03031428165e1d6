/**
 * Passes connections on to a server of this machine, for as long as it is told to. `node forward.ts PORT HOST PORT` does
 * so in whatever network it is started in.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface Forwarder extends AsyncDisposable {
  readonly port: number
  /** Ends the connections; further ones go to another port. */
  turnTo(port: number): void
  /** Ends the connections, and lets none through. */
  cut(): void
  mend(): void
}

/** @param at 0: any port that is free; on all addresses */
export async function openForwarder(host: string, port: number, at = 0): Promise<Forwarder> {
  const sockets = new Set<Socket>()
  let target = port
  let isCut = false
  const server = createServer((from) => {
    if (isCut) {
      from.destroy()
      return
    }
    const to = connect(target, host)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one)
      one.setNoDelay(true)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }).listen(at)
  await once(server, 'listening')
  const endAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    turnTo(port) {
      target = port
      endAll()
    },
    cut() {
      isCut = true
      endAll()
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      endAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [at, host, port] = process.argv.slice(2)
  await openForwarder(host!, Number(port), Number(at))
  console.log('ready')
}
