/** `host.get` against the real REST interface: only the routes of resources, and only what they answer as JSON. */
import { expect, test } from 'vitest'
import { startRestServer } from '../support/rest-server.ts'
import { openTestHost } from '../support/test-host.ts'

async function openWithInstance() {
  await using opening = new AsyncDisposableStack()
  const server = opening.use(await startRestServer())
  const answer = await server.send({ patientName: 'Test^Name' })
  const { call } = opening.use(await openTestHost({ get: (path) => server.api.get(path) })).begin()
  const opened = opening.move()
  return {
    server,
    id: { instance: answer.ID!, study: answer.ParentStudy! },
    get: (path: string) => call('get', { path }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

test('a script gets the value that the route answers, not its text', async () => {
  await using opened = await openWithInstance()
  const { server, id, get } = opened
  const paths = [
    '/studies',
    `/studies/${id.study}`,
    `/studies/${id.study}/series?expand`,
    `/instances/${id.instance}/`,
    '/changes?since=1&limit=2',
    '/statistics',
    '/system',
  ]
  for (const path of paths) expect(await get(path)).toEqual({ value: await server.read(path) })
  expect(await get('/studies')).toEqual({ value: [id.study] })
})

test('what is not there is null', async () => {
  await using opened = await openWithInstance()
  expect(await opened.get('/studies/00000000-00000000-00000000-00000000-00000000')).toEqual({ value: null })
})

test('a file cannot be read, and a query that the route refuses is an error', async () => {
  await using opened = await openWithInstance()
  const { get, id } = opened
  expect(await get(`/instances/${id.instance}/file`)).toEqual({
    code: 'bad-host-call',
    message: `host.get: "/instances/${id.instance}/file" is not JSON, and only that can be read`,
  })
  expect(await get('/changes?type=Nonsense')).toEqual({
    code: 'bad-host-call',
    message: 'host.get: "/changes" was answered with status 400',
  })
})

const refused = [
  '/scripts',
  '/runs',
  '/windows',
  '/tools/find',
  '/',
  '/studiesx',
  '/Studies',
  '/studies/../scripts',
  '/studies/./x',
  '/studies/%2e%2e/scripts',
  '/studies/..%2fscripts',
  '/studies/..\\scripts',
  '/studies//x',
  '//127.0.0.1/system',
  '/system#fragment',
  '/studies/a b',
  '/studies/a\r\nHost: evil',
  '/studies\0',
]
test.each(refused)('the path %j is refused, and never asked for', async (path) => {
  const asked: string[] = []
  const get = async (path: string) => {
    asked.push(path)
    return { status: 200, contentType: 'application/json', body: '"secret"' }
  }
  await using opened = await openTestHost({ get })
  const result = await opened.begin().call('get', { path })
  expect(result).toMatchObject({
    code: 'bad-host-call',
    message: expect.stringContaining('host.get does not read'),
  })
  expect(asked).toEqual([])
})

test('an absolute address, another scheme and a path that is too long are no paths', async () => {
  await using opened = await openTestHost()
  const { call } = opened.begin()
  for (const path of [
    'http://127.0.0.1:8042/system',
    'system',
    'file:///etc/hostname',
    '',
    `/${'a'.repeat(2_048)}`,
  ]) {
    expect(await call('get', { path })).toMatchObject({
      code: 'bad-host-call',
      message: expect.stringMatching(/^host\.get: bad value for "path": /),
    })
  }
})

test('an answer that is longer than a script can be given is an error', async () => {
  const body = JSON.stringify('x'.repeat(4 * 1024 * 1024))
  const get = async () => ({ status: 200, contentType: 'application/json', body })
  await using opened = await openTestHost({ get })
  expect(await opened.begin().call('get', { path: '/changes' })).toEqual({
    code: 'too-large',
    message: 'The answer of host.get has 4194306 bytes: expected at most 4194304',
  })
})
