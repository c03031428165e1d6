/** The outside that the script `report` has an effect on: an HTTP server that notes what it is told. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Effect } from './history.ts'

export interface Receiver extends AsyncDisposable {
  readonly url: string
  /** In the order in which they came. */
  readonly effects: Effect[]
}

export async function startReceiver(): Promise<Receiver> {
  const effects: Effect[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
      effects.push({
        receivedAtMs: Date.now(),
        header: String(request.headers['idempotency-key']),
        ...(JSON.parse(Buffer.concat(chunks).toString()) as Omit<Effect, 'receivedAtMs' | 'header'>),
      })
      response.end('noted')
    } catch {
      // The sender was killed in the middle of its request.
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    effects,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
