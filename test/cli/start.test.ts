/** `onstable start` and what needs the whole of the sandbox, as processes. */

import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onstable, startCommand } from '../support/command-line.ts'
import { temporaryFolder } from '../support/folders.ts'

function parametersFor(folder: string, ...more: string[]): string[] {
  const folders = ['--data', join(folder, 'data'), '--scripts', join(folder, 'scripts')]
  return ['start', ...folders, '--http-port', '0', '--dicom-port', '0', ...more]
}

test('the server says in one line where it is, and a signal is a clean end', async () => {
  using folder = temporaryFolder()
  await using server = startCommand(parametersFor(folder.path, '--json'))
  await expect.poll(() => server.lines().length, { timeout: 20_000 }).toBe(1)
  const ready = JSON.parse(server.lines()[0]!) as { url: string; dicomPort: number; scripts: string }
  expect(ready).toMatchObject({ dicomAet: 'ONSTABLE', scripts: join(folder.path, 'scripts') })
  expect(ready.dicomPort).toBeGreaterThan(0)
  expect((await fetch(`${ready.url}/system`)).status).toBe(200)
  server.signal('SIGINT')
  // A launcher hands the same signal on.
  server.signal('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(server.lines()).toHaveLength(1)
})

test('a server that waits for its database ends at the first signal', async () => {
  using folder = temporaryFolder()
  await using server = startCommand(parametersFor(folder.path, '--store', 'postgres://127.0.0.1:1/none'))
  await expect.poll(() => server.errors(), { timeout: 20_000 }).toContain('Waiting for the database')
  server.signal('SIGINT')
  expect(await server.ended).toBe(1)
  expect(server.errors()).toMatch(/onstable: stopped before it had started\n$/)
})

test('a port in use and a data folder that cannot be written are one sentence, and the code is 1', async () => {
  using folder = temporaryFolder()
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  const refused = await onstable(
    parametersFor(folder.path, '--log-level', 'silent', '--http-port', String(port)),
  )
  expect(refused).toMatchObject({ code: 1, output: '' })
  expect(refused.errors).toMatch(new RegExp(`^onstable: Port ${port} on 127\\.0\\.0\\.1 is in use: .*\\n$`))
  await new Promise((resolve) => other.close(resolve))
  writeFileSync(join(folder.path, 'file'), '')
  const noFolder = await onstable(parametersFor(join(folder.path, 'file'), '--log-level', 'silent'))
  expect(noFolder.code).toBe(1)
  expect(noFolder.errors).toMatch(/^onstable: The data folder .*\n$/)
})

test('checking scripts needs no server, names the place of what is wrong, and ends with 1', async () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'good.ts'), 'export function onStableStudy(): void {}\n')
  const check = (...more: string[]) => onstable(['scripts', 'check', '--scripts', folder.path, ...more])
  const good = await check()
  expect(good).toMatchObject({ code: 0, errors: '' })
  expect(good.output).toBe(`${join(folder.path, 'good.ts')}: good, with onStableStudy\n`)
  expect(await onstable(['scripts', 'check', folder.path])).toMatchObject({ code: 0, output: good.output })
  writeFileSync(join(folder.path, 'bad.ts'), '\nexport function onStabelStudy(): void {}\n')
  const both = await check()
  expect(both.code).toBe(1)
  expect(both.output).toMatch(/^bad\.ts:2:\d+: .*onStableStudy.*\n.*good\.ts: good/)
  const asJson = JSON.parse((await check('--json')).output) as { ok: boolean }[]
  expect(asJson.map(({ ok }) => ok)).toEqual([false, true])
})
