/** `host.http`: what is sent, what comes back, and what becomes of servers that misbehave. */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { startOutsideServer } from '../support/outside-server.ts'
import { httpFailed, openHttp } from '../support/test-host.ts'

test('a request arrives as it was made, with a key that is the same for every attempt', async () => {
  await using outside = await startOutsideServer((_, response) => {
    response.writeHead(201, { 'Content-Type': 'text/plain', 'X-Two': ['a', 'b'] }).end('grüße')
  })
  await using opened = await openHttp(outside.url)
  const headers = { 'X-Mine': 'value', Authorization: 'Bearer x' }
  const result = await opened.http(`${outside.url}a/b?c=1&d=2#e`, { method: 'POST', headers, body: 'bödy' })
  expect(outside.requests).toMatchObject([
    {
      method: 'POST',
      path: '/a/b?c=1&d=2',
      body: 'bödy',
      headers: {
        'x-mine': 'value',
        authorization: 'Bearer x',
        'idempotency-key': 'epoch-1:script.ts:onStableStudy',
        host: `127.0.0.1:${outside.port}`,
      },
    },
  ])
  expect(result).toMatchObject({
    value: {
      status: 201,
      ok: true,
      text: 'grüße',
      headers: { 'content-type': 'text/plain', 'x-two': 'a, b' },
    },
  })
})

test('a failure of the other server is an answer like any other', async () => {
  await using outside = await startOutsideServer((_, response) => void response.writeHead(503).end('later'))
  await using opened = await openHttp(outside.url)
  expect(await opened.http(outside.url)).toMatchObject({ value: { status: 503, ok: false, text: 'later' } })
})

test('a text is read in its character set', async () => {
  await using outside = await startOutsideServer((request, response) => {
    const charset = request.url === '/latin1' ? 'iso-8859-1' : 'no-such-set'
    response.setHeader('content-type', `text/plain; charset=${charset}`)
    response.end(Buffer.from('é', charset === 'iso-8859-1' ? 'latin1' : 'utf8'))
  })
  await using opened = await openHttp(outside.url)
  for (const path of ['latin1', 'unknown']) {
    expect(await opened.http(outside.url + path)).toMatchObject({ value: { text: 'é' } })
  }
})

test('a redirect is the answer, and is not followed', async () => {
  await using elsewhere = await startOutsideServer()
  await using outside = await startOutsideServer((request, response) => {
    response.writeHead(Number(request.url!.slice(1)), { location: elsewhere.url }).end()
  })
  await using opened = await openHttp(outside.url)
  for (const status of [301, 302, 303, 307, 308]) {
    expect(await opened.http(`${outside.url}${status}`, { method: 'POST', body: 'secret' })).toMatchObject({
      value: { status, ok: false, headers: { location: elsewhere.url } },
    })
  }
  expect([outside.requests.length, elsewhere.requests.length]).toEqual([5, 0])
})

test('a server that is down, that hangs up, or that speaks no HTTP is said to have failed, and why', async () => {
  const odd = createServer((socket) => void socket.once('data', () => socket.end('nonsense\r\n\r\n')))
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
  const { port } = odd.address() as AddressInfo
  await using opened = await openHttp(`http://127.0.0.1:${port}/`)
  expect(await opened.http(`http://127.0.0.1:${port}/`)).toEqual(httpFailed(/ failed: .+/))
  await new Promise((resolve) => odd.close(resolve))
  expect(await opened.http(`http://127.0.0.1:${port}/`)).toEqual(httpFailed(/ failed: .*ECONNREFUSED/))
  await using outside = await startOutsideServer((_, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('half')
    setImmediate(() => response.destroy())
  })
  await using other = await openHttp(outside.url)
  expect(await other.http(outside.url)).toEqual(httpFailed(/ failed: .+/))
})
