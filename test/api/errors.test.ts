/** What is answered to what cannot be done. */
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { fault } from '../../src/errors.ts'
import { startRestServer } from '../support/rest-server.ts'

async function ask(url: string, method = 'GET', body?: string) {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body }) })
  return { status: response.status, allow: response.headers.get('allow'), text: await response.text() }
}

test('an unknown route is 404 with a description, an unknown identifier 404 without', async () => {
  await using server = await startRestServer()
  expect(JSON.parse((await ask(`${server.url}/nope?x=1`)).text)).toEqual({
    HttpError: 'Not Found',
    HttpStatus: 404,
    Message: 'Unknown resource',
    Method: 'GET',
    OrthancError: 'Unknown resource',
    OrthancStatus: 17,
    Uri: '/nope',
  })
  const unknown = '00000000-00000000-00000000-00000000-00000000'
  expect(await ask(`${server.url}/studies/${unknown}`)).toMatchObject({ status: 404, text: '' })
  expect(await ask(`${server.url}/studies/nope`, 'DELETE')).toMatchObject({ status: 404, text: '' })
  expect(await server.read(`/studies/${unknown}/statistics`)).toMatchObject({ OrthancStatus: 17 })
  expect(await server.read(`/instances/${unknown}/file`)).toMatchObject({ OrthancStatus: 17 })
})

test.each([
  ['a broken percent sign', '/studies/%zz'],
  ['an endless identifier', `/studies/${'a'.repeat(5000)}`],
])('%s is an unknown resource', async (_, path) => {
  await using server = await startRestServer()
  const response = await fetch(`${server.url}${path}`)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ OrthancStatus: 17, HttpStatus: 404, Uri: path })
})

test('a method that a path does not have is 405 with those that it has', async () => {
  await using server = await startRestServer()
  expect(await ask(`${server.url}/patients/x`, 'POST', 'x')).toEqual({
    status: 405,
    allow: 'GET,DELETE',
    text: '',
  })
  expect(await ask(`${server.url}/instances`, 'PUT', 'x')).toEqual({
    status: 405,
    allow: 'GET,POST',
    text: '',
  })
  expect(await ask(`${server.url}/system`, 'POST', '{}')).toEqual({ status: 405, allow: 'GET', text: '' })
  expect(await ask(`${server.url}/system`, 'HEAD')).toMatchObject({ status: 404, text: '' })
  expect(await ask(`${server.url}/system`, 'OPTIONS')).toMatchObject({ status: 404, text: '' })
})

test('an error of a stage is answered with its status and its sentence', async () => {
  await using server = await startRestServer()
  expect(await ask(`${server.url}/instances`, 'POST')).toMatchObject({ status: 400 })
  const notDicom = await ask(`${server.url}/instances`, 'POST', 'this is not dicom')
  expect(JSON.parse(notDicom.text)).toMatchObject({
    Details: 'Cannot parse an invalid DICOM file (size: 17 bytes)',
    HttpStatus: 400,
    Message: 'Bad file format',
    OrthancStatus: 15,
    Uri: '/instances',
  })
  await using full = await startRestServer(
    {},
    {
      upload: async () => {
        throw fault('storage-full', 'The disk is full')
      },
    },
  )
  expect((await ask(`${full.url}/instances`, 'POST', 'x')).status).toBe(507)
})

test('what nobody foresaw is 500 and gives nothing away', async () => {
  await using server = await startRestServer(
    {},
    {
      upload: async () => {
        throw new Error('secret')
      },
    },
  )
  const { status, text } = await ask(`${server.url}/instances`, 'POST', 'x')
  expect(status).toBe(500)
  expect(text).not.toContain('secret')
})

test('a body over the limit is 413, with a length and without', async () => {
  await using server = await startRestServer({ maxInstanceMb: 0.001 })
  const declared = await ask(`${server.url}/instances`, 'POST', 'x'.repeat(5_000))
  expect(JSON.parse(declared.text)).toMatchObject({ HttpStatus: 413 })
  const answer = await rawRequest(
    server.api.port,
    `POST /instances HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n${'x'.repeat(5_000)}\r\n0\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1\.1 413 /)
})

test('a sender that breaks off changes nothing, and the next one is served', async () => {
  await using server = await startRestServer()
  const socket = connect(server.api.port, '127.0.0.1')
  socket.write('POST /instances HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nDICM')
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.destroy()
  expect(await server.send({})).toMatchObject({ Status: 'Success' })
  expect(await server.read('/statistics')).toMatchObject({ CountInstances: 1 })
})

/** Sends a request as text and gives back what is answered first. */
async function rawRequest(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write(request)
    const [first] = (await new Promise<Buffer[]>((resolve, reject) => {
      socket.once('data', (chunk) => resolve([chunk]))
      socket.once('error', reject)
    })) as [Buffer]
    return first.toString('latin1')
  } finally {
    socket.destroy()
  }
}
