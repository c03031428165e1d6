/** `host.http`: what is sent, what comes back, and what becomes of servers that misbehave. */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { startOutsideServer } from '../support/outside-server.ts'
import { httpCall, openTestHost } from '../support/test-host.ts'
import { until } from '../support/until.ts'

async function openFor(url: string) {
  const opened = await openTestHost({ granted: { http: [url] } })
  const { call } = opened.begin()
  return {
    http: (address: string, more = {}, signal?: AbortSignal) => call('http', httpCall(address, more), signal),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

const failedWith = (reason: RegExp) => ({ code: 'http-failed', message: expect.stringMatching(reason) })

test('a request arrives as it was made, with a key that is the same for every attempt', async () => {
  await using outside = await startOutsideServer((_, response) => {
    response.writeHead(201, { 'Content-Type': 'text/plain', 'X-Two': ['a', 'b'] }).end('grüße')
  })
  await using opened = await openFor(outside.url)
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
  await using opened = await openFor(outside.url)
  expect(await opened.http(outside.url)).toMatchObject({ value: { status: 503, ok: false, text: 'later' } })
})

test('a text is read in its character set', async () => {
  await using outside = await startOutsideServer((request, response) => {
    const charset = request.url === '/latin1' ? 'iso-8859-1' : 'no-such-set'
    response.setHeader('content-type', `text/plain; charset=${charset}`)
    response.end(Buffer.from('é', charset === 'iso-8859-1' ? 'latin1' : 'utf8'))
  })
  await using opened = await openFor(outside.url)
  for (const path of ['latin1', 'unknown']) {
    expect(await opened.http(outside.url + path)).toMatchObject({ value: { text: 'é' } })
  }
})

test('a redirect is the answer, and is not followed', async () => {
  await using elsewhere = await startOutsideServer()
  await using outside = await startOutsideServer((request, response) => {
    response.writeHead(Number(request.url!.slice(1)), { location: elsewhere.url }).end()
  })
  await using opened = await openFor(outside.url)
  for (const status of [301, 302, 303, 307, 308]) {
    expect(await opened.http(`${outside.url}${status}`, { method: 'POST', body: 'secret' })).toMatchObject({
      value: { status, ok: false, headers: { location: elsewhere.url } },
    })
  }
  expect([outside.requests.length, elsewhere.requests.length]).toEqual([5, 0])
})

test('an answer that does not end, or is too long, is given up, and its connection with it', async () => {
  await using outside = await startOutsideServer((_, response) => {
    const pour = () => {
      while (response.write(Buffer.alloc(65_536))) if (response.destroyed) return
      response.once('drain', pour)
    }
    pour()
  })
  await using opened = await openFor(outside.url)
  expect(await opened.http(outside.url)).toEqual({
    code: 'too-large',
    message: `The answer of http://127.0.0.1:${outside.port} is longer than 4194304 bytes`,
  })
  await until('the connection to be closed', async () => (await outside.connections()) === 0)
})

test.each(['no answer at all', 'an answer that drips'])(
  '%s ends when the time given is over',
  async (what) => {
    const timers: NodeJS.Timeout[] = []
    await using outside = await startOutsideServer((_, response) => {
      if (what.startsWith('an')) timers.push(setInterval(() => response.write('.'), 10))
    })
    await using opened = await openFor(outside.url)
    const startedMs = performance.now()
    const result = await opened.http(outside.url, { timeoutMs: 150 })
    expect(performance.now() - startedMs).toBeGreaterThan(140)
    expect(result).toEqual(failedWith(/ failed: no answer within 150 ms$/))
    await until('the connection to be closed', async () => (await outside.connections()) === 0)
    for (const timer of timers) clearInterval(timer)
  },
)

test('a time limit that no timer can hold is refused, and is not taken for none', async () => {
  await using outside = await startOutsideServer()
  await using opened = await openFor(outside.url)
  for (const timeoutMs of [0, -1, 1.5, 3_600_001, 2 ** 31, 1e12]) {
    expect(await opened.http(outside.url, { timeoutMs })).toMatchObject({
      code: 'bad-host-call',
      message: expect.stringContaining('host.http: bad value for "timeoutMs"'),
    })
  }
  expect(outside.requests).toEqual([])
})

test('a request is given up when its run has ended', async () => {
  await using outside = await startOutsideServer(() => {})
  await using opened = await openFor(outside.url)
  const run = new AbortController()
  const result = opened.http(outside.url, {}, run.signal)
  await until('the request to arrive', () => outside.requests.length === 1)
  run.abort()
  expect(await result).toEqual(failedWith(/^The request to http:\/\/127\.0\.0\.1:\d+ failed: /))
  await until('the connection to be closed', async () => (await outside.connections()) === 0)
  expect(await opened.http(outside.url, {}, run.signal)).toEqual(failedWith(/ failed: /))
  expect(outside.requests).toHaveLength(1)
})

test('a server that is down, that hangs up, or that speaks no HTTP is said to have failed, and why', async () => {
  const odd = createServer((socket) => void socket.once('data', () => socket.end('nonsense\r\n\r\n')))
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
  const { port } = odd.address() as AddressInfo
  await using opened = await openFor(`http://127.0.0.1:${port}/`)
  expect(await opened.http(`http://127.0.0.1:${port}/`)).toEqual(failedWith(/ failed: .+/))
  await new Promise((resolve) => odd.close(resolve))
  expect(await opened.http(`http://127.0.0.1:${port}/`)).toEqual(failedWith(/ failed: .*ECONNREFUSED/))
  await using outside = await startOutsideServer((_, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('half')
    setImmediate(() => response.destroy())
  })
  await using other = await openFor(outside.url)
  expect(await other.http(outside.url)).toEqual(failedWith(/ failed: .+/))
})
