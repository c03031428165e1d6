/** An HTTP server somewhere outside, that notes what it is asked and misbehaves when told to. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface OutsideRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface OutsideServer extends AsyncDisposable {
  readonly port: number
  /** With a slash at its end. */
  readonly url: string
  readonly requests: readonly OutsideRequest[]
  /** Connections that are open now. */
  connections(): Promise<number>
}

/** @param answer what is done with a request, after it was noted; 200 and an empty body without */
export async function startOutsideServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => void response.end(),
): Promise<OutsideServer> {
  const requests: OutsideRequest[] = []
  const listener: RequestListener = async (request, response) => {
    const { method = '', url = '', headers } = request
    requests.push({ method, path: url, headers, body: await text(request).catch(() => 'cut off') })
    answer(request, response)
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    requests,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
