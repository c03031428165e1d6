/**
 * Reads a route from inside the process, for scripts: the same routes and answers, without the network.
 */
import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { fault } from '../errors.ts'
import type { InsideAnswer } from './api.ts'

/** As much as a script can be given. */
const mostBytes = 4 * 1024 * 1024

/** @throws `bad-host-call` if the answer is larger than a script can be given */
export async function getInside(
  app: FastifyInstance,
  path: string,
  token: string | undefined,
  mark: Readonly<Record<string, string>>,
): Promise<InsideAnswer> {
  const response = await app.inject({
    method: 'GET',
    url: path,
    headers: {
      host: 'localhost',
      ...mark,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    payloadAsStream: true,
  })
  const stream = response.stream()
  const contentType = String(response.headers['content-type'] ?? '')
  if (!contentType.startsWith('application/json')) {
    stream.on('error', () => {})
    stream.destroy()
    return { status: response.statusCode, contentType, body: '' }
  }
  return { status: response.statusCode, contentType, body: await textOf(stream, path) }
}

async function textOf(stream: Readable, path: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > mostBytes) {
      throw fault(
        'bad-host-call',
        `The answer of ${path} is larger than 4 MB: ask for less, with "since" and "limit"`,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length).toString('utf8')
}
