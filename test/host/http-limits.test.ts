/** The limits of `host.http`: of length, of time, and the end of the run. */
import { expect, test } from 'vitest'
import { startOutsideServer } from '../support/outside-server.ts'
import { httpFailed, openHttp } from '../support/test-host.ts'
import { until } from '../support/until.ts'

test('an answer that does not end, or is too long, is given up, and its connection with it', async () => {
  await using outside = await startOutsideServer((_, response) => {
    const pour = () => {
      while (response.write(Buffer.alloc(65_536))) if (response.destroyed) return
      response.once('drain', pour)
    }
    pour()
  })
  await using opened = await openHttp(outside.url)
  expect(await opened.http(outside.url)).toEqual({
    code: 'too-large',
    message: `The answer of http://127.0.0.1:${outside.port} is longer than 4194304 bytes`,
  })
  await until('the connection to be closed', async () => (await outside.connections()) === 0)
})

test('an answer that is too long only as JSON is refused before it is made', async () => {
  await using outside = await startOutsideServer((_, response) => response.end('\u0001'.repeat(1_000_000)))
  await using opened = await openHttp(outside.url)
  expect(await opened.http(outside.url)).toEqual({
    code: 'too-large',
    message: `The answer of http://127.0.0.1:${outside.port} is longer than 4194304 bytes as JSON`,
  })
})

test.each(['no answer at all', 'an answer that drips'])(
  '%s ends when the time given is over',
  async (what) => {
    const timers: NodeJS.Timeout[] = []
    await using outside = await startOutsideServer((_, response) => {
      if (what.startsWith('an')) timers.push(setInterval(() => response.write('.'), 10))
    })
    await using opened = await openHttp(outside.url)
    const startedMs = performance.now()
    const result = await opened.http(outside.url, { timeoutMs: 150 })
    expect(performance.now() - startedMs).toBeGreaterThan(140)
    expect(result).toEqual(httpFailed(/ failed: no answer within 150 ms$/))
    await until('the connection to be closed', async () => (await outside.connections()) === 0)
    for (const timer of timers) clearInterval(timer)
  },
)

test('a time limit that no timer can hold is refused, and is not taken for none', async () => {
  await using outside = await startOutsideServer()
  await using opened = await openHttp(outside.url)
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
  await using opened = await openHttp(outside.url)
  const run = new AbortController()
  const result = opened.http(outside.url, {}, run.signal)
  await until('the request to arrive', () => outside.requests.length === 1)
  run.abort()
  expect(await result).toEqual(httpFailed(/^The request to http:\/\/127\.0\.0\.1:\d+ failed: /))
  await until('the connection to be closed', async () => (await outside.connections()) === 0)
  expect(await opened.http(outside.url, {}, run.signal)).toEqual(httpFailed(/ failed: /))
  expect(outside.requests).toHaveLength(1)
})
