/** An HTTP server that a hostile script may ask, and that is on its side. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type OutsideServer, startOutsideServer } from '../support/outside-server.ts'

const chunk = Buffer.alloc(64 * 1024, 'x')

/**
 * `/silent` never answers, `/endless` never ends, `/redirect` leads to what was not granted, `/odd` answers what
 * hurts readers.
 */
export function startHostileServer(): Promise<OutsideServer> {
  return startOutsideServer(answer)
}

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  switch (url) {
    case '/silent':
      return
    case '/endless':
      response.on('drain', () => response.write(chunk))
      response.write(chunk)
      return
    case '/redirect':
      response.writeHead(302, { location: 'http://127.0.0.1:9/system' }).end()
      return
    default:
      response.writeHead(299, {
        'content-type': 'text/plain; charset="no-such"',
        __proto__: 'polluted',
        constructor: 'x',
      })
      response.end('{"__proto__":{"polluted":1}}\ufffe\u0000')
  }
}
