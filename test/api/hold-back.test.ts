/** Large bodies that come at once: they wait for each other, small ones do not. */
import { type ClientRequest, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { collectBodies } from '../../src/api/body.ts'
import { until } from '../support/until.ts'

const megabyte = 1024 * 1024

async function start(memoryMb: number) {
  const app = Fastify()
  collectBodies(app, memoryMb * megabyte)
  const sockets = new Set<Socket>()
  app.addHook('onRequest', async ({ raw }) => void sockets.add(raw.socket))
  app.post('/', { bodyLimit: 64 * megabyte }, async ({ body }) =>
    String((body as Buffer[]).reduce((sum, { length }) => sum + length, 0)),
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  /** Resolves with the answer; null if the connection was broken. */
  const post = (send: (outgoing: ClientRequest) => void) => {
    const { promise, resolve } = Promise.withResolvers<string | null>()
    const outgoing = request({ port, host: '127.0.0.1', method: 'POST', agent: false }, async (answer) => {
      let text = ''
      for await (const chunk of answer) text += chunk
      resolve(text)
    })
    outgoing.on('error', () => resolve(null))
    send(outgoing)
    return { answer: promise, outgoing }
  }
  return {
    post,
    receivedMb: () => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0) / megabyte,
    [Symbol.asyncDispose]: () => app.close(),
  }
}

test('of large ones one goes on while all together hold too much, and each is answered in the end', async () => {
  await using server = await start(4)
  // Each says all but its last bytes.
  const size = 12 * megabyte
  const senders = Array.from({ length: 6 }, () =>
    server.post((outgoing) => {
      outgoing.setHeader('content-length', size)
      outgoing.write(Buffer.alloc(size - 1))
    }),
  )
  await until('too much to be held', () => server.receivedMb() > 8)
  await delay(300)
  // The limit, one that goes on, and of each what is read before it knows.
  expect(server.receivedMb()).toBeLessThan(4 + 12 + 6 * 1.5)
  for (const { outgoing } of senders) outgoing.end(Buffer.alloc(1))
  expect(await Promise.all(senders.map(({ answer }) => answer))).toEqual(senders.map(() => String(size)))
})

test('small ones do not wait, and those that wait go on when the one before them is gone', async () => {
  await using server = await start(4)
  const stalled = server.post((outgoing) => outgoing.write(Buffer.alloc(6 * megabyte)))
  await until('it to hold too much', () => server.receivedMb() >= 6)
  const waiting = server.post((outgoing) => outgoing.end(Buffer.alloc(3 * megabyte)))
  const small = server.post((outgoing) => outgoing.end(Buffer.alloc(6_000)))
  expect(await small.answer).toBe('6000')
  await delay(200)
  stalled.outgoing.destroy()
  expect(await waiting.answer).toBe(String(3 * megabyte))
  expect(await stalled.answer).toBeNull()
})
