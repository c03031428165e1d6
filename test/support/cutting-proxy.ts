/** Stands between a sender and a receiver on the loopback, and cuts the connection in the middle. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy extends AsyncDisposable {
  readonly port: number
  /** How many connections were cut. */
  cuts(): number
}

/** @param afterBytes so many bytes of the sender pass, and no more */
export async function startCuttingProxy(receiverPort: number, afterBytes: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  let cuts = 0
  const server = createServer((sender) => {
    const receiver = connect(receiverPort, '127.0.0.1')
    const pair = [sender, receiver]
    for (const socket of pair) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        for (const each of pair) each.destroy()
      })
    }
    let leftBytes = afterBytes
    receiver.pipe(sender)
    sender.on('data', (bytes: Buffer) => {
      if (leftBytes <= 0) return
      receiver.write(bytes.subarray(0, leftBytes))
      leftBytes -= bytes.length
      if (leftBytes > 0) return
      cuts++
      // What was written goes out before the end.
      receiver.destroySoon()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
