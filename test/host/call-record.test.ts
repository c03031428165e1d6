/** What is kept of the calls of a run: each with its time and its size, and nothing of a patient. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startOutsideServer } from '../support/outside-server.ts'
import { httpCall, openTestHost } from '../support/test-host.ts'

const id = '00000000-00000000-00000000-00000000-00000000'

test('each call is recorded with what was done to whom, its duration and the size of its answer', async () => {
  await using outside = await startOutsideServer(async (_, response) => {
    await sleep(60)
    response.end('answer')
  })
  await using opened = await openTestHost({
    granted: { http: [outside.url], send: ['PACS1'] },
    modalities: { PACS1: { aet: 'A', host: '127.0.0.1', port: 1 } },
    get: async () => ({ status: 200, body: '["ü"]' }),
    send: async () => ({ sent: 12 }),
  })
  const { call, history } = opened.begin()
  await call('get', { path: `/studies/${id}?patient=Test` })
  await call('send', { level: 'Study', id, modality: 'PACS1' })
  await call('http', httpCall(`${outside.url}patients/Test?name=Test`))
  await call('kv.set', { key: 'Test', value: '"Test"' })
  await call('kv.get', { key: 'Test' })
  await call('kv.list', { prefix: 'Test', after: null })
  await call('kv.delete', { key: 'Test' })
  const ok = { atMs: expect.any(Number), durationMs: expect.any(Number), ok: true }
  expect(history.records()).toEqual([
    { ...ok, name: 'get', target: `/studies/${id}`, bytes: 6 },
    { ...ok, name: 'send', target: `Study ${id} to PACS1`, bytes: 11 },
    { ...ok, name: 'http', target: `http://127.0.0.1:${outside.port}`, bytes: expect.any(Number) },
    { ...ok, name: 'kv.set', target: null, bytes: 4 },
    { ...ok, name: 'kv.get', target: null, bytes: 6 },
    { ...ok, name: 'kv.list', target: null, bytes: 31 },
    { ...ok, name: 'kv.delete', target: null, bytes: 4 },
  ])
  const durationsMs = history.records().map(({ durationMs }) => durationMs)
  expect(durationsMs[2]).toBeGreaterThan(55)
  expect(durationsMs.every((durationMs) => durationMs >= 0)).toBe(true)
  const startsMs = history.records().map(({ atMs }) => atMs)
  expect(startsMs).toEqual([...startsMs].sort((left, right) => left - right))
  expect(startsMs[3]! - startsMs[2]!).toBeGreaterThan(55)
  expect(JSON.stringify(history.records())).not.toContain('Test')
})

test('a call that failed is recorded with the code of its error, also one that nobody understood', async () => {
  await using opened = await openTestHost()
  const { call, history } = opened.begin()
  await call('http', httpCall('http://127.0.0.1:1/'))
  await call('nonsense', {})
  await call('get', { path: 'nonsense' })
  const failed = { atMs: expect.any(Number), durationMs: expect.any(Number), bytes: 0, ok: false }
  expect(history.records()).toEqual([
    { ...failed, name: 'http', target: 'http://127.0.0.1:1', code: 'not-granted' },
    { ...failed, name: 'nonsense', target: null, code: 'bad-host-call' },
    { ...failed, name: 'get', target: null, code: 'bad-host-call' },
  ])
})

test('of very many calls the first are recorded, and how many came after them', async () => {
  await using opened = await openTestHost()
  const { call, history } = opened.begin()
  for (let number = 0; number < 250; number++) await call('kv.get', { key: 'a' })
  const records = history.records()
  expect(records).toHaveLength(201)
  expect(records.at(-1)).toEqual({
    name: 'not recorded',
    target: '50 further calls',
    atMs: 0,
    durationMs: 0,
    bytes: 0,
    ok: true,
  })
})

test('a run that lost its lease may do nothing any more', async () => {
  await using outside = await startOutsideServer()
  await using opened = await openTestHost({ granted: { http: [outside.url] } })
  let isLive = true
  const { call, history } = opened.begin({ isLive: () => isLive })
  await call('http', httpCall(outside.url))
  isLive = false
  expect(await call('http', httpCall(outside.url))).toMatchObject({ code: 'lease-lost' })
  expect(await call('kv.set', { key: 'a', value: '1' })).toMatchObject({ code: 'lease-lost' })
  expect(outside.requests).toHaveLength(1)
  expect(history.keyValueWrites()).toEqual([])
})

test('what fails inside the host is told the script as that, and logged with its cause', async () => {
  await using opened = await openTestHost({
    get: async () => {
      throw new Error('the index is gone')
    },
  })
  const { call, history } = opened.begin()
  expect(await call('get', { path: '/studies' })).toEqual({
    code: 'internal',
    message: 'The host failed: the index is gone',
  })
  expect(history.records()).toMatchObject([{ ok: false, code: 'internal' }])
  expect(opened.lines).toMatchObject([
    { msg: 'A host call failed', script: 'script.ts', call: 'get', err: { message: 'the index is gone' } },
  ])
})
