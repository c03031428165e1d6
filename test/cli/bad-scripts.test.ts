/** Scripts that are wrong, at a server that runs: it says so and goes on with the last good version. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ScriptStatus } from '../../src/scripts/scripts.ts'
import type { RunSummary } from '../../src/store/store.ts'
import { onstable } from '../support/command-line.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const wedge = `export const script = { timeout: '100ms', retry: { attempts: 100, delay: '1ms', backoff: 'fixed' } }
export function onStoredInstance() {
  let x = 3n ** (2n ** 24n); x = x * x; x.toString()
}`

const good = `export function onStoredInstance(instance, host) { host.log('the good one') }\n`

async function read<T>({ url }: TestServer, path: string): Promise<T> {
  return (await (await fetch(url + path)).json()) as T
}

/** Saves a text as `a.js`, and gives what the server then says is wrong with it. */
async function problemOf(server: TestServer, text: string, message: string): Promise<ScriptStatus> {
  writeFileSync(join(server.scripts, 'a.js'), text)
  return await until(`the problem "${message}"`, async () => {
    const [status] = await read<ScriptStatus[]>(server, '/scripts')
    return status?.problem?.message.includes(message) ? status : null
  })
}

const bad: [string, string, string][] = [
  [
    'a misspelt callback',
    'export function onStabelStudy() {}',
    'Callback "onStabelStudy" is unknown: did you mean "onStableStudy"?',
  ],
  [
    'a need that is not granted',
    `export const script = { needs: { send: ['PACS1'] } }\n${good}`,
    'The script needs what it is not granted: send to "PACS1"',
  ],
  ['a syntax error', `${good}\nlet x = ;`, 'Unexpected ";"'],
  [
    'a setting that does not exist',
    `export const script = { timeuot: '5s' }\n${good}`,
    'Unknown key "timeuot" in "script": did you mean "timeout"?',
  ],
]

test('whatever is saved, the server stays up, says what is wrong, and runs the last good version', async () => {
  await using server = await startServer({ scripts: { 'a.js': good }, logLevel: 'info' })
  const [first] = await read<ScriptStatus[]>(server, '/scripts')
  for (const [what, text, message] of bad) {
    const status = await problemOf(server, text, message)
    expect([what, status.state, status.version]).toEqual([what, 'in-force', first!.version])
    expect(server.stderr()).toContain(JSON.stringify(message).slice(1, -1))
  }
  await fetch(`${server.url}/instances`, { method: 'POST', body: new Uint8Array(dicomFile()) })
  const [run] = await until('the run', async () => {
    const runs = await read<RunSummary[]>(server, '/runs')
    return runs.length > 0 && runs
  })
  expect(run).toMatchObject({ outcome: 'ok', version: first!.version, logs: [{ text: 'the good one' }] })
  const { output } = await onstable(['scripts', 'list', '--url', server.url])
  expect(output).toContain('timeuot')
  expect(server.hasExited()).toBe(false)
})

test('a server whose only script is wrong starts all the same', async () => {
  const [, text, message] = bad[1]!
  await using server = await startServer({ scripts: { 'a.js': text } })
  const [status] = await read<ScriptStatus[]>(server, '/scripts')
  expect(status).toMatchObject({ state: 'refused', version: null, problem: { file: 'a.js' } })
  expect(status!.problem!.message).toContain(message)
  expect(status!.problem!.message).toContain('{"grants":{"a.js":{"send":["PACS1"],"http":[]}}}')
})

test('one that keeps ending its process is suspended, says so, and goes on when it is resumed', {
  timeout: 90_000,
}, async () => {
  await using server = await startServer({ scripts: { 'a.js': wedge, 'b.js': good } })
  const state = async () => (await read<ScriptStatus[]>(server, '/scripts'))[0]
  await fetch(`${server.url}/instances`, { method: 'POST', body: new Uint8Array(dicomFile()) })
  const suspended = await until(
    'the script to be suspended',
    async () => {
      const status = await state()
      return status?.state === 'suspended' && status
    },
    60_000,
  )
  expect(suspended.problem?.message).toMatch(/^It ended its process again and again/)
  const { output } = await onstable(['scripts', 'list', '--url', server.url])
  expect(output).toMatch(/a\.js {2}suspended .*\n {2}a\.js: It ended its process again and again/)
  const count = async () => (await read<RunSummary[]>(server, '/runs?script=a.js')).length
  const before = await count()
  // What the script is owed waits, and others are served.
  expect(await read(server, '/backlog')).toMatchObject([{ script: 'a.js', waiting: 1 }, { script: 'b.js' }])
  expect((await read<RunSummary[]>(server, '/runs?script=b.js')).map(({ outcome }) => outcome)).toEqual([
    'ok',
  ])
  const resume = (name: string) => onstable(['scripts', 'resume', name, '--url', server.url])
  expect(await resume('a.js')).toMatchObject({ code: 0, output: 'a.js is served again\n' })
  expect((await state())?.state).toBe('in-force')
  expect(await resume('b.js')).toMatchObject({ code: 0, output: 'b.js was neither paused nor suspended\n' })
  expect(await resume('c.js')).toMatchObject({ code: 1 })
  await until('the delivery to be tried again', async () => (await count()) > before)
})
