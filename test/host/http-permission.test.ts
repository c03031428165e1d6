/** How a script might try to reach a server that it was not granted, or to say what it may not. */
import { expect, test } from 'vitest'
import { type OutsideServer, startOutsideServer } from '../support/outside-server.ts'
import { httpCall, openTestHost } from '../support/test-host.ts'

/** Addresses that look like `granted`, or hold it, and mean something else. */
function disguises({ port }: OutsideServer, evil: OutsideServer): string[] {
  return [
    evil.url,
    `https://127.0.0.1:${port}/`,
    `http://localhost:${port}/`,
    `http://127.0.0.2:${port}/`,
    `http://127.0.0.1:${port}@127.0.0.1:${evil.port}/`,
    `http://127.0.0.1:${port}%2f@127.0.0.1:${evil.port}/`,
    `http://user:password@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}.example.org/`,
    'http://127.0.0.1/',
    `http://[::1]:${port}/`,
    `ftp://127.0.0.1:${port}/`,
    `file:///127.0.0.1:${port}/`,
    `javascript://127.0.0.1:${port}/`,
    `//127.0.0.1:${port}/`,
    '',
  ]
}

test('no disguise of a granted address reaches another server, or the granted one in another way', async () => {
  await using granted = await startOutsideServer()
  await using evil = await startOutsideServer()
  await using opened = await openTestHost({ granted: { http: [granted.url] } })
  const { call } = opened.begin()
  for (const url of disguises(granted, evil)) {
    const result = await call('http', httpCall(url))
    expect([url, result]).toEqual([
      url,
      { code: expect.stringMatching(/^(not-granted|bad-host-call)$/), message: expect.any(String) },
    ])
  }
  expect([granted.requests, evil.requests]).toEqual([[], []])
})

test('other ways to write a granted address are the granted address', async () => {
  await using granted = await startOutsideServer()
  await using opened = await openTestHost({ granted: { http: [granted.url] } })
  const { call } = opened.begin()
  const { port } = granted
  const same = [
    `HTTP://127.0.0.1:${port}/x`,
    `http://0x7f.1:${port}/x`,
    `http://2130706433:${port}/x`,
    `http://127.0.0.1:${port}\\x`,
  ]
  for (const url of same) expect(await call('http', httpCall(url))).toMatchObject({ value: { status: 200 } })
  expect(granted.requests.map(({ path }) => path)).toEqual(['/x', '/x', '/x', '/x'])
})

test('a grant with a path covers what is below it, and no way around it', async () => {
  await using outside = await startOutsideServer()
  const folder = `${outside.url}api/v1`
  await using opened = await openTestHost({ granted: { http: [folder] } })
  const { call } = opened.begin()
  for (const end of ['', '/', '/a?b=../c', '/a/../b']) {
    expect(await call('http', httpCall(folder + end))).toMatchObject({ value: { status: 200 } })
  }
  const around = [
    '0',
    '2',
    '.',
    '/..',
    '/../v2',
    '/%2e%2e/v2',
    '/.%2E/v2',
    '/..%2fv2',
    '/%2e%2e%2fv2',
    '/..%5cv2',
    '/..;/v2',
    '/%2e%2e;a=b/v2',
    '/a\\..\\..\\v2',
  ]
  for (const end of around) {
    expect([end, await call('http', httpCall(folder + end))]).toEqual([
      end,
      expect.objectContaining({ code: 'not-granted' }),
    ])
  }
  expect(outside.requests.map(({ path }) => path)).toEqual([
    '/api/v1',
    '/api/v1/',
    '/api/v1/a?b=../c',
    '/api/v1/b',
  ])
})

test('no header can be smuggled into a request, and none that belongs to the connection be set', async () => {
  await using outside = await startOutsideServer()
  await using opened = await openTestHost({ granted: { http: [outside.url] } })
  const { call } = opened.begin()
  const smuggled = [
    { 'X-A': 'b\r\nX-Evil: 1' },
    { 'X-A': 'b\nX-Evil: 1' },
    { 'X-A\r\nX-Evil': '1' },
    { 'X A': '1' },
    { '': '1' },
    { 'X-A': '\0' },
  ]
  for (const headers of smuggled) {
    expect(await call('http', httpCall(outside.url, { headers }))).toMatchObject({ code: expect.any(String) })
  }
  for (const name of [
    'Host',
    'content-length',
    'Transfer-Encoding',
    'Connection',
    'Upgrade',
    'Proxy-Authorization',
  ]) {
    expect(await call('http', httpCall(outside.url, { headers: { [name]: 'x' } }))).toEqual({
      code: 'bad-host-call',
      message: `host.http: header "${name}" is set by the host: leave it out`,
    })
  }
  expect(outside.requests).toEqual([])
  await call('http', httpCall(`${outside.url}a\r\nX-Evil: 1`))
  expect(outside.requests.map(({ headers }) => headers['x-evil'])).toEqual([undefined])
})

test('a method that is none of the usual is refused', async () => {
  await using outside = await startOutsideServer()
  await using opened = await openTestHost({ granted: { http: [outside.url] } })
  for (const method of ['CONNECT', 'TRACE', 'get', 'GET / HTTP/1.1\r\nX: y', '']) {
    expect(await opened.begin().call('http', httpCall(outside.url, { method }))).toMatchObject({
      code: 'bad-host-call',
      message: expect.stringContaining('bad value for "method"'),
    })
  }
  expect(outside.requests).toEqual([])
})
