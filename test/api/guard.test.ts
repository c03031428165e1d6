/** Who may ask: names, pages, tokens, and the address that is listened on. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startRestServer } from '../support/rest-server.ts'

const token = 'a-token-of-sixteen-and-more'

async function statusWith(port: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path: '/system', headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('only names of this server are answered', async () => {
  await using server = await startRestServer({ allowedHosts: ['pacs.example.org'] })
  const { port } = server.api
  for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', '[::1]:8042', 'PACS.example.org:80']) {
    expect([host, await statusWith(port, { host })]).toEqual([host, 200])
  }
  for (const host of [
    'evil.example.org',
    'localhost.evil.example.org',
    '192.0.2.7',
    '127.evil.example.org',
  ]) {
    expect([host, await statusWith(port, { host })]).toEqual([host, 403])
  }
})

test('a page of another origin is refused, our own is not', async () => {
  await using server = await startRestServer()
  const { port } = server.api
  const host = `localhost:${port}`
  expect(await statusWith(port, { host, origin: `http://${host}` })).toBe(200)
  expect(await statusWith(port, { host, origin: 'https://evil.example.org' })).toBe(403)
  expect(await statusWith(port, { host, origin: 'null' })).toBe(403)
})

test('with a token, every request needs it, but for what a load balancer asks', async () => {
  await using server = await startRestServer({ token })
  const { port } = server.api
  expect(await statusWith(port, { authorization: `Bearer ${token}` })).toBe(200)
  expect(await statusWith(port, { authorization: `Bearer ${token}x` })).toBe(401)
  expect(await statusWith(port, { authorization: token })).toBe(401)
  expect(await statusWith(port, {})).toBe(401)
  expect((await fetch(`${server.url}/ready`)).status).toBe(200)
  expect((await fetch(`${server.url}/ready/`)).status).toBe(401)
  const response = await fetch(`${server.url}/nope`)
  expect([response.status, response.headers.get('www-authenticate')]).toEqual([
    401,
    'Bearer realm="onstable"',
  ])
  expect((await server.api.get('/system')).status).toBe(200)
})

test('any address but loopback is refused without a token, and taken with one', async () => {
  await expect(startRestServer({ host: '0.0.0.0' })).rejects.toMatchObject({
    code: 'bad-setting',
    message: expect.stringContaining('needs a token'),
  })
  await using server = await startRestServer({ host: '0.0.0.0', token })
  expect(await statusWith(server.api.port, { authorization: `Bearer ${token}` })).toBe(200)
})

test('a port in use is one sentence that names the port and the setting', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  await expect(startRestServer({ httpPort: port })).rejects.toMatchObject({
    code: 'port-in-use',
    message: `Port ${port} on 127.0.0.1 is in use: stop the other program, or choose another port with "--http-port"`,
  })
  await new Promise((resolve) => other.close(resolve))
})
