/** What happens to loads that is no fault of theirs, and versions that come and go. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { childPids } from '../support/child-pids.ts'
import { keptLog } from '../support/kept-log.ts'
import { linesOf, makeProgram } from '../support/program.ts'

let runtime: Runtime
let lines: ReturnType<typeof keptLog>['lines']
beforeEach(async () => {
  const kept = keptLog()
  lines = kept.lines
  runtime = await startRuntime({ log: kept.log })
})
afterEach(() => runtime.close())

const slowLoad = `export const initialize = () => new Promise((resolve) => setTimeout(resolve, 500))
  export function onChange() { console.log('ran') }`
const answer = async () => ({ ok: true, value: '""' }) as const
const run = (version: string, event = '{}') => runtime.run({ version, callback: 'onChange', event, answer })

test('a load is begun again when somebody ends its process, and goes well', async () => {
  const program = makeProgram(slowLoad)
  const loading = runtime.load(program)
  await delay(200)
  for (const pid of childPids('child/entry.ts')) process.kill(pid, 'SIGKILL')
  expect((await loading).functions).toContain('onChange')
  expect(linesOf(await run(program.version))).toEqual(['ran'])
})

test('a load that is given up is not refused to whoever waits for it, too', async () => {
  const program = makeProgram(slowLoad)
  const givingUp = new AbortController()
  const loads = [runtime.load(program, givingUp.signal), runtime.load(program)]
  await delay(100)
  givingUp.abort()
  for (const load of loads) await expect(load).rejects.toMatchObject({ code: 'internal' })
  expect((await runtime.load(program)).functions).toContain('onChange')
})

test('a run that has to load its version first, and cannot in time, names the limit of a load', async () => {
  const slowFromMs = Date.now() + 3_000
  const source = `export function onChange() { for (;;); }
    export const initialize = () => new Promise((resolve) => setTimeout(resolve, Date.now() < ${slowFromMs} ? 0 : 10_000))`
  const program = { ...makeProgram(source, { timeoutMs: 100 }), loadMs: 2_000 }
  await runtime.load(program)
  expect((await run(program.version)).error?.message).toContain('its limit of 100 ms')
  await delay(slowFromMs - Date.now())
  expect((await run(program.version)).error?.message).toMatch(/^Loading .* its limit of 2,000 ms/)
})

test('a version that is unloaded, loaded and unloaded keeps its isolate until its last run has ended', async () => {
  const program = makeProgram(`let begun = 0
    export async function onChange({ ms }) {
      console.log(++begun)
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
    export function finalize() { console.log('finalized after ' + begun) }`)
  const { version } = program
  await runtime.load(program)
  const first = run(version, '{"ms": 200}')
  const unloading = [runtime.unload(version)]
  await runtime.load(program)
  const second = run(version, '{"ms": 50}')
  unloading.push(runtime.unload(version))
  expect([...linesOf(await first), ...linesOf(await second)]).toEqual(['1', '2'])
  await Promise.all(unloading)
  expect(lines.map(({ msg }) => msg).filter((msg) => String(msg).startsWith('finalized'))).toEqual([
    'finalized after 2',
  ])
  await expect(run(version)).rejects.toThrow('not loaded')
})

test('a run that has asked for things is on record, though it is recalled before it begins again', async () => {
  const [asking, other] = [1, 2].map((n) =>
    makeProgram(
      `export async function onChange(event, host) {
        await host.kv.get('key')
        await new Promise((resolve) => setTimeout(resolve, 500))
      }`,
      {},
      `${n}.ts`,
    ),
  )
  for (const program of [asking!, other!]) await runtime.load(program)
  let asked = 0
  const begin = (version: string) =>
    runtime.runUnlessRecalled({
      version,
      callback: 'onChange',
      event: '{}',
      async answer() {
        asked++
        return { ok: true, value: '""' }
      },
    })
  const runs = [begin(asking!.version), begin(other!.version)]
  while (asked < 2) await delay(5)
  for (const pid of childPids('child/entry.ts')) process.kill(pid, 'SIGKILL')
  runtime.recall('1.ts')
  expect((await Promise.all(runs)).map((result) => result?.outcome)).toEqual(['ok', 'ok'])
})
