/** The system routes, settling by hand, what scripts read, and the end of the server. */
import { expect, test } from 'vitest'
import type { ScriptStatus } from '../../src/scripts/scripts.ts'
import { startRestServer } from '../support/rest-server.ts'

test('system and statistics have the shape of Orthanc', async () => {
  await using server = await startRestServer({ name: 'Test', dicomAet: 'STORE' })
  expect(await server.read('/system')).toMatchObject({ Name: 'Test', DicomAet: 'STORE', ApiVersion: 16 })
  await server.send({})
  expect(await server.read('/statistics')).toMatchObject({
    CountInstances: 1,
    CountPatients: 1,
    TotalDiskSize: expect.stringMatching(/^\d+$/),
    TotalDiskSizeMB: 0,
  })
})

test('settling fires once, unsettling opens a window, and what is unknown is 404', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  const { ParentStudy } = await server.send({})
  const post = async (path: string) => {
    const response = await fetch(server.url + path, { method: 'POST' })
    return [response.status, await response.json()]
  }
  const windows = (await server.read('/windows')) as { id: string; openedAt: string }[]
  expect(windows).toHaveLength(3)
  expect(windows[0]!.openedAt).toMatch(/^\d{4}-.*Z$/)
  expect(await post(`/studies/${ParentStudy}/settle`)).toEqual([200, { Changed: true }])
  expect(await server.read(`/studies/${ParentStudy}`)).toMatchObject({ IsStable: true })
  expect(await post(`/studies/${ParentStudy}/settle`)).toEqual([200, { Changed: false }])
  expect(await post(`/studies/${ParentStudy}/unsettle`)).toEqual([200, { Changed: true }])
  expect(await server.read(`/studies/${ParentStudy}`)).toMatchObject({ IsStable: false })
  expect(await post('/studies/nope/settle')).toMatchObject([404, { OrthancStatus: 17 }])
  expect(await post('/studies/nope/unsettle')).toMatchObject([404, { OrthancStatus: 17 }])
})

test('our own lists answer JSON', async () => {
  const script: ScriptStatus & { paused: boolean } = {
    name: 'a.ts',
    state: 'in-force',
    version: '0123456789abcdef',
    callbacks: ['onStableStudy'],
    needs: { send: [], http: [] },
    problem: null,
    paused: false,
  }
  await using server = await startRestServer({}, { scripts: () => [script] })
  expect(await server.read('/scripts')).toEqual([{ ...script, unanswered: [] }])
  expect(await server.read('/runs?script=a.ts&limit=5')).toEqual([])
  expect(await server.read('/runs?limit=0')).toMatchObject({ HttpStatus: 400 })
  expect(await server.read('/backlog')).toEqual([])
})

test('a read from inside gives what the network gives, and never a file', async () => {
  await using server = await startRestServer()
  const { ID } = await server.send({})
  const inside = await server.api.get(`/instances/${ID}`)
  expect(inside).toMatchObject({ status: 200, contentType: expect.stringContaining('application/json') })
  expect(JSON.parse(inside.body)).toEqual(await server.read(`/instances/${ID}`))
  expect(await server.api.get('/instances/nope')).toMatchObject({ status: 404, body: '' })
  expect(await server.api.get(`/instances/${ID}/file`)).toMatchObject({ status: 200, body: '' })
  expect((await server.api.get('//evil.example.org/system')).status).toBe(404)
})

test('closing lets the request in flight end and takes no more', async () => {
  let release: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let arrived: () => void = () => {}
  const inFlight = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const server = await startRestServer(
    {},
    {
      upload: async () => {
        arrived()
        await held
        return { status: 200, body: { Status: 'Success' } }
      },
    },
  )
  const answer = fetch(`${server.url}/instances`, { method: 'POST', body: 'x' })
  await inFlight
  const closed = server[Symbol.asyncDispose]()
  await expect(fetch(`${server.url}/system`)).rejects.toThrow()
  release()
  expect((await answer).status).toBe(200)
  await closed
})

test('the crash point "answered" is passed once for each upload', async () => {
  const passed: string[] = []
  await using server = await startRestServer({}, { reach: (point) => passed.push(point) })
  await server.send({})
  await server.read('/instances')
  await expect.poll(() => passed).toEqual(['answered'])
})
