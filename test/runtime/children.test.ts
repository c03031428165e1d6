import { openSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { residentMb } from '../../src/lib/resident-memory.ts'
import { createLog } from '../../src/log.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { childPids } from '../support/child-pids.ts'
import { temporaryFolder } from '../support/folders.ts'
import { linesOf, loadProgram, makeProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

const entry = 'child/entry.ts'
const begunAgain = 'Another run ended the process of this one: it begins again'
const wedge =
  'export const onChange = () => { let x = 3n ** (2n ** 24n); x = x * x; return x.toString().length }'

let runtime: Runtime
let deaths: { reason: string; culprit: string | null }[]
beforeEach(async () => {
  deaths = []
  const onChildDeath = (death: (typeof deaths)[number]) => deaths.push(death)
  runtime = await startRuntime({ log: createLog('silent'), graceMs: 500, onChildDeath })
})
afterEach(() => runtime.close())

describe('children', () => {
  it('that are killed from outside are replaced, and versions are initialized again', async () => {
    const program = makeProgram(`let ready = 'no'
      export function initialize() { ready = 'yes' }
      export function onChange() { console.log(ready, (globalThis.count = (globalThis.count ?? 0) + 1)) }`)
    await runtime.load(program)
    const { version } = program
    const answer = async () => ({ ok: true, value: 'null' }) as const
    const run = () => runtime.run({ version, callback: 'onChange', event: '{}', answer })
    expect(linesOf(await run())).toEqual(['yes 1'])
    expect(linesOf(await run())).toEqual(['yes 2'])
    for (const pid of childPids(entry)) process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(deaths).toHaveLength(1))
    const next = await run()
    expect(next.outcome).toBe('ok')
    expect(linesOf(next)).toEqual(['yes 1'])
  })

  it('can be closed while the spare is only starting to take over', async () => {
    for (const pid of childPids(entry)) process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(deaths).toHaveLength(1), { interval: 1 })
    await runtime.close()
    expect(childPids(entry)).toEqual([])
  })

  it('are killed under a run that nothing else can stop; the run is told its limit', async () => {
    const hostile = await loadProgram(runtime, wedge, { timeoutMs: 300 })
    const harmless = await loadProgram(runtime, `export function onChange() { console.log('fine') }`)
    const result = await hostile()
    expect(result.outcome).toBe('timed-out')
    expect(result.error?.message).toContain('limit of 300 ms')
    expect(linesOf(await harmless())).toEqual(['fine'])
    expect(deaths).toHaveLength(1)
  })

  it('keep nothing of versions that are refused', async () => {
    const source = `globalThis.kept = new Array(5e6).fill(1.5)
      export function initialize() { throw new Error('no') }`
    for (let count = 0; count < 10; count++) {
      // Time enough on a busy machine.
      const program = makeProgram(source, { memoryMb: 128, timeoutMs: 60_000 })
      await expect(runtime.load(program)).rejects.toThrow('refused: no')
    }
    const heldMb = () => Math.max(...childPids(entry).map(residentMb))
    await vi.waitFor(() => expect(heldMb()).toBeLessThan(300), { timeout: 10_000 })
    expect(deaths).toEqual([])
  })

  it('take runs of others down with them, which are begun again', async () => {
    const hostile = await loadProgram(runtime, wedge, { timeoutMs: 300 })
    const waiting = await loadProgram(
      runtime,
      `export async function onChange() { await new Promise((r) => setTimeout(r, 1500)); console.log('done') }`,
    )
    const [guilty, innocent] = await Promise.all([hostile(), waiting()])
    expect(guilty.outcome).toBe('timed-out')
    expect(innocent.outcome).toBe('ok')
    expect(linesOf(innocent)).toEqual([begunAgain, 'done'])
  })

  it('take runs down that had asked the host for something: those ask again, and are not blamed', async () => {
    const hostile = await loadProgram(runtime, wedge, { timeoutMs: 300 })
    const program = makeProgram(`export async function onChange(e, host) {
      await host.kv.set('a', 1)
      await new Promise((r) => setTimeout(r, 1500))
      console.log('done') }`)
    await runtime.load(program)
    const steps: string[] = []
    const innocent = runtime.run({
      version: program.version,
      callback: 'onChange',
      event: '{}',
      async answer() {
        steps.push('asked')
        return { ok: true, value: 'null' }
      },
      onBeginAgain: () => steps.push('begun again'),
    })
    await hostile()
    const result = await innocent
    expect(result.outcome).toBe('ok')
    expect(linesOf(result)).toEqual([begunAgain, 'done'])
    expect(steps).toEqual(['asked', 'begun again', 'asked'])
  })

  it('that hold too much memory die, and only the run that did it is charged', async () => {
    await using small = await startRuntime({ log: createLog('silent'), maxChildMemoryMb: 300 })
    const bomb = await loadProgram(
      small,
      `export function onChange() { const k = []; for (;;) k.push(new Array(1e6).fill(1.5)) }`,
      { timeoutMs: 10_000, memoryMb: 2048 },
    )
    const waiting = await loadProgram(
      small,
      'export const onChange = () => new Promise((r) => setTimeout(r, 1000))',
    )
    const [guilty, innocent] = await Promise.all([bomb(), waiting()])
    expect(guilty.outcome).toBe('out-of-memory')
    expect(innocent.outcome).toBe('ok')
  })

  it('that hold too much memory with runs of one script are charged to those, one at a time', async () => {
    await using small = await startRuntime({ log: createLog('silent'), maxChildMemoryMb: 300 })
    const source = `export async function onChange() {
      globalThis.kept = Array.from({ length: 18 }, () => new Array(1e6).fill(1.5))
      await new Promise((resolve) => setTimeout(resolve, 2000))
      globalThis.kept = null
    }`
    const program = makeProgram(source, { timeoutMs: 30_000, memoryMb: 256 })
    await small.load(program)
    const runs = [0, 1, 2].map((slot) =>
      small.run({
        version: program.version,
        callback: 'onChange',
        event: '{}',
        answer: async () => ({ ok: true, value: 'null' }),
        slot,
      }),
    )
    const results = await Promise.all(runs)
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['ok', 'out-of-memory', 'out-of-memory'])
    expect(results.find(({ error }) => error !== null)?.error?.message).toMatch(
      /^The run needed more than its limit of 256 MB \(memoryMb\), or than its process may hold. It used \d+ MB, more than 300$/,
    )
  })

  it('that hold on to memory with nothing to do are replaced, and nobody is charged', async () => {
    const leftovers = `export function onChange() { const k = []
      for (let i = 0; i < 10_000; i++) k.push(new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin' })) }`
    const hostile = await loadProgram(runtime, leftovers, { timeoutMs: 30_000, memoryMb: 16 })
    const harmless = await loadProgram(runtime, `export function onChange() { console.log('fine') }`, {
      memoryMb: 16,
    })
    await hostile()
    await vi.waitFor(() => expect(deaths).toHaveLength(1), { timeout: 20_000 })
    expect(deaths[0]).toMatchObject({ culprit: null, reason: expect.stringContaining('with nothing to do') })
    expect(linesOf(await harmless())).toEqual(['fine'])
  })

  it('have no environment and no access to files or processes', async () => {
    const isNode = (pid: number) => readlinkSync(`/proc/${pid}/exe`) === process.execPath
    const pids = await until('the child and its spare', () => {
      const found = childPids(entry).filter(isNode)
      return found.length === 2 && found
    })
    for (const pid of pids) {
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('')
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('--permission')
    }
  })

  it('are gone after close, and runs in flight end crashed', async () => {
    const run = await loadProgram(runtime, 'export const onChange = () => new Promise(() => {})')
    const [first, second] = [run(), run()]
    await runtime.close()
    expect((await first).outcome).toBe('crashed')
    expect((await second).outcome).toBe('crashed')
    expect(childPids(entry)).toEqual([])
  })
})

describe('unloading', () => {
  it('lets runs in flight end, and calls finalize', async () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'log')
    await using own = await startRuntime({ log: createLog('info', { fd: openSync(file, 'w') }) })
    const program = makeProgram(`export const finalize = () => console.log('bye')
      export const onChange = () => new Promise((r) => setTimeout(r, 100))`)
    await own.load(program)
    const { version } = program
    const answer = async () => ({ ok: true, value: 'null' }) as const
    const run = own.run({ version, callback: 'onChange', event: '{}', answer })
    await own.unload(version)
    expect((await run).outcome).toBe('ok')
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ level: 30, script: program.script, msg: 'bye' }),
    )
    await expect(own.run({ version, callback: 'onChange', event: '{}', answer })).rejects.toThrow(
      'not loaded',
    )
  })

  it('does not wait for a finalize that never ends', async () => {
    const program = makeProgram('export const finalize = () => { for (;;); }')
    await runtime.load(program)
    await runtime.unload(program.version)
    const run = await loadProgram(runtime, 'export function onChange() {}')
    expect((await run()).outcome).toBe('ok')
  })
})
