/** Uploads over HTTP to the whole engine: what goes wrong on the way leaves nothing behind. */
import { mkdirSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { canMount, smallDisk } from '../support/small-disk.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const countInstances = async ({ read }: TestEngine) =>
  (await read<{ CountInstances: number }>('/statistics')).CountInstances

/** One request by an agent that keeps its connection, if the server does. */
function postOn(agent: Agent, { httpPort }: TestEngine, body: Buffer, isChunked: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length }
    const sent = request(
      { agent, port: httpPort, method: 'POST', path: '/instances', headers },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

test.each([false, true])(
  'a body that is too large is answered with 413, and the same client can go on (chunked: %s)',
  async (isChunked) => {
    await using engine = await startTestEngine({ settings: { maxInstanceMb: 0.1 } })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const post = (instance: string, pixelBytes: number) =>
      postOn(agent, engine, dicomFile({ instance, pixelBytes }), isChunked)
    expect(await post('1', 90_000)).toBe(200)
    for (const pixelBytes of [110_000, 3_000_000]) expect(await post('2', pixelBytes)).toBe(413)
    expect(await post('3', 90_000)).toBe(200)
    expect(await countInstances(engine)).toBe(2)
    expect(engine.files()).toHaveLength(2)
    agent.destroy()
  },
)

test.each(['garbage', 'application/', 'text/plain;;=', '', 'application/x-www-form-urlencoded', 'image/png'])(
  'whatever a sender says that the body is, a file is taken as one (Content-Type: %s)',
  async (type) => {
    await using engine = await startTestEngine()
    const response = await fetch(`http://127.0.0.1:${engine.httpPort}/instances`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(dicomFile({ instance: '1' })),
    })
    expect(response.status).toBe(200)
    expect(await countInstances(engine)).toBe(1)
  },
)

test('a sender that breaks off in the middle of a body leaves nothing, whatever it promised', async () => {
  await using engine = await startTestEngine()
  const body = dicomFile({ pixelBytes: 500_000 })
  const promises = [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']
  for (const promise of promises) {
    const socket = connect(engine.httpPort, '127.0.0.1')
    socket.write(`POST /instances HTTP/1.1\r\nHost: localhost\r\n${promise}\r\n\r\n`)
    if (promise.startsWith('Transfer')) socket.write(`${body.length.toString(16)}\r\n`)
    // All but the end: the whole dataset but for a few bytes of its pixels.
    await new Promise<void>((resolve) => socket.write(body.subarray(0, -10), () => resolve()))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.destroy()
    await closed
  }
  expect((await engine.post(dicomFile({ instance: '2' }))).status).toBe(200)
  expect(await countInstances(engine)).toBe(1)
  expect(engine.files()).toHaveLength(1)
})

test.skipIf(!canMount)(
  'a full disk is 507 as in Orthanc, nothing is half done, and all works when there is room; what the journal took before is stored, too (needs to mount a disk)',
  async () => {
    using folder = temporaryFolder()
    const files = join(folder.path, 'files')
    mkdirSync(files)
    using disk = smallDisk({ sizeBytes: 1024 * 1024, at: files })
    await using engine = await startTestEngine({ data: folder.path })
    expect((await engine.post(dicomFile({ instance: '1' }))).status).toBe(200)
    disk.fill()
    expect((await engine.post(dicomFile({ instance: 'taken', pixelBytes: 50_000 }))).status).toBe(200)
    expect(await countInstances(engine)).toBe(1)
    const refused = await engine.post(dicomFile({ instance: '2', pixelBytes: 50_000 }))
    expect(refused).toMatchObject({
      status: 507,
      answer: {
        Details: 'The disk of the DICOM files is full: make room, then send again',
        HttpStatus: 507,
        Message: 'The file storage is full',
        OrthancStatus: 19,
      },
    })
    expect(await countInstances(engine)).toBe(1)
    expect(engine.files()).toHaveLength(1)
    expect(await engine.read('/changes')).toMatchObject({ Last: 4 })
    disk.makeRoom()
    const again = async () => (await engine.post(dicomFile({ instance: '2', pixelBytes: 50_000 }))).status
    await expect.poll(again, { timeout: 5_000 }).toBe(200)
    expect(await countInstances(engine)).toBe(3)
    expect(engine.files()).toHaveLength(3)
  },
)

test.skipIf(!canMount)(
  'a disk that is full for the database is 507, too, and the instance has neither row nor file (needs to mount a disk)',
  async () => {
    using folder = temporaryFolder()
    using disk = smallDisk({ sizeBytes: 4 * 1024 * 1024, at: folder.path })
    const files = join(folder.path, 'files')
    mkdirSync(files)
    using _roomForFiles = smallDisk({ sizeBytes: 16 * 1024 * 1024, at: files })
    await using engine = await startTestEngine({ data: folder.path })
    disk.fill()
    let stored = 0
    // The write-ahead log may have room left for some.
    const refused = await until('an instance to be refused', async () => {
      const { status, answer } = await engine.post(dicomFile({ instance: String(stored + 1) }))
      if (status !== 200) return { status, answer }
      stored++
      return null
    })
    expect(refused).toMatchObject({
      status: 507,
      answer: { Details: expect.stringContaining('The database cannot be written'), OrthancStatus: 19 },
    })
    expect(await countInstances(engine)).toBe(stored)
    expect(engine.files()).toHaveLength(stored)
    disk.makeRoom()
    expect((await engine.post(dicomFile({ instance: 'after' }))).status).toBe(200)
    expect(await countInstances(engine)).toBe(stored + 1)
    expect(engine.files()).toHaveLength(stored + 1)
  },
)
