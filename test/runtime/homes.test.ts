/** Which scripts share a process, and what becomes of those that end it. */
import { getPriority } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import type { Limits, Program, Runtime, Suspension } from '../../src/runtime/runtime.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import { childPids } from '../support/child-pids.ts'
import { keptLog } from '../support/kept-log.ts'
import { linesOf, loadProgram, makeProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

const wedge = `let x = 3n ** (2n ** 24n); x = x * x; x.toString()`
const source = `export async function onChange({ act, ms = 0 }) {
  globalThis.count = (globalThis.count ?? 0) + 1
  if (act === 'wedge') { ${wedge} }
  if (act === 'loop') for (;;);
  if (act === 'fill') { const k = []; for (;;) k.push(new Array(1e6).fill(1.5)) }
  await new Promise((resolve) => setTimeout(resolve, ms))
  console.log(globalThis.count)
}`

let runtime: Runtime
let deaths: number
let suspended: Suspension[]
const start = (graceMs: number) =>
  startRuntime({
    log: createLog('silent'),
    graceMs,
    maxChildMemoryMb: 400,
    onChildDeath: () => deaths++,
    onSuspend: (suspension) => suspended.push(suspension),
  })
beforeEach(async () => {
  deaths = 0
  suspended = []
  runtime = await start(300)
})
afterEach(() => runtime.close())

const answer = async () => ({ ok: true, value: 'null' }) as const
async function load(limits: Partial<Limits> = {}, isolation: Program['isolation'] = 'shared') {
  // On a busy machine it takes longer to make an isolate than a run may.
  const program: Program = {
    ...makeProgram(source, { timeoutMs: 300, ...limits }),
    isolation,
    loadMs: 20_000,
  }
  await runtime.load(program)
  const { version } = program
  const run = (event: object = {}, slot = 0) =>
    runtime.run({ version, callback: 'onChange', event: JSON.stringify(event), answer, slot })
  return { version, run }
}
const children = () => childPids('child/entry.ts').length
/** The one in use and the spare. */
const untilChildren = (count: number) => until(`${count} child processes`, () => children() === count)

describe('a script with isolation "process"', () => {
  it('has a process of its own, which ends with the last of its versions', async () => {
    await untilChildren(2)
    const shared = await load()
    await shared.run()
    expect(children()).toBe(2)
    const first = await load({}, 'process')
    const second = await load({}, 'process')
    expect(linesOf(await first.run())).toEqual(['1'])
    expect(linesOf(await second.run())).toEqual(['1'])
    await untilChildren(3)
    await runtime.unload(first.version)
    expect(linesOf(await second.run())).toEqual(['2'])
    await runtime.unload(second.version)
    await untilChildren(2)
  })

  it('takes nobody down with it, and is started again', async () => {
    const own = await load({}, 'process')
    const shared = await load({ timeoutMs: 5_000 })
    const [killed, other] = await Promise.all([own.run({ act: 'wedge' }), shared.run({ ms: 1_000 })])
    expect(killed.outcome).toBe('timed-out')
    expect(linesOf(other)).toEqual(['1'])
    expect(deaths).toBe(0)
    expect(linesOf(await own.run())).toEqual(['1'])
  })
})

describe('a script that ends its process again and again', () => {
  it('gets one of its own, and is then to be suspended', { timeout: 60_000 }, async () => {
    const hostile = await load()
    for (let count = 0; count < 2; count++) {
      expect((await hostile.run({ act: 'wedge' })).outcome).toBe('timed-out')
    }
    expect(deaths).toBe(2)
    const harmless = await load({ timeoutMs: 10_000 })
    await harmless.run()
    for (let count = 0; count < 5; count++) {
      expect(suspended).toEqual([])
      expect((await hostile.run({ act: 'wedge' })).outcome).toBe('timed-out')
    }
    expect(suspended).toEqual([
      {
        script: 'script.ts',
        version: hostile.version,
        reason: expect.stringMatching(/^It ended its process again and again. Last: A task/),
      },
    ])
    // The shared process has not been touched any more.
    expect(deaths).toBe(2)
    expect(linesOf(await harmless.run())).toEqual(['2'])
  })
})

describe('scripts that loop until they are stopped, three times', () => {
  const priorities = () => childPids('child/entry.ts').map((pid) => getPriority(pid))
  // At the lowest priority everything may take a while on a busy machine.
  beforeEach(async () => {
    await runtime.close()
    runtime = await start(20_000)
  })
  const slow = { timeoutMs: 10_000, cpuMs: 200 }
  const ofLoops = () => priorities().filter((priority) => priority === 19).length

  it('share a process at the lowest priority from then on, and disturb nobody else', async () => {
    await untilChildren(2)
    const [first, second, harmless] = await Promise.all([load(slow), load(slow), load(slow)])
    await harmless.run()
    const loops = async () => await Promise.all([first, second].map(({ run }) => run({ act: 'loop' })))
    for (let count = 0; count < 3; count++) {
      expect((await loops()).map(({ outcome }) => outcome)).toEqual(['timed-out', 'timed-out'])
      expect(ofLoops()).toBe(0)
    }
    expect((await loops()).map(({ outcome }) => outcome)).toEqual(['timed-out', 'timed-out'])
    await untilChildren(3)
    expect(ofLoops()).toBe(1)
    expect(linesOf(await first.run())).toEqual(['1'])
    expect(linesOf(await first.run())).toEqual(['2'])
    expect(linesOf(await harmless.run())).toEqual(['2'])
    await runtime.unload(first.version)
    expect(linesOf(await second.run())).toEqual(['1'])
    await runtime.unload(second.version)
    await untilChildren(2)
    expect([ofLoops(), deaths]).toEqual([0, 0])
  })

  it('are told that their isolates end where they were', async () => {
    const kept = keptLog()
    await using own = await startRuntime({ log: kept.log })
    const program = makeProgram(
      `export function onChange({ act }) { if (act === 'loop') for (;;); }
      export function finalize() { console.warn('finalized') }`,
      slow,
    )
    await own.load(program)
    const run = (event: object, slot: number) =>
      own.run({ version: program.version, callback: 'onChange', event: JSON.stringify(event), answer, slot })
    await run({}, 1)
    for (let count = 0; count < 3; count++) expect((await run({ act: 'loop' }, 0)).outcome).toBe('timed-out')
    expect((await run({}, 1)).outcome).toBe('ok')
    expect(kept.lines.filter(({ msg }) => msg === 'finalized')).toHaveLength(1)
  })

  it('stay where they are if they only wait', async () => {
    const waits = await load()
    for (let count = 0; count < 4; count++) expect((await waits.run({ ms: 5_000 })).outcome).toBe('timed-out')
    expect(ofLoops()).toBe(0)
  })
})

describe('runs that were lost with a process, of which it is not known what ended it', () => {
  it('are tried one by one until it is; the others are not charged', { timeout: 60_000 }, async () => {
    const waiting = await Promise.all(Array.from({ length: 6 }, () => load({ timeoutMs: 20_000 })))
    const hostile = await load({ timeoutMs: 20_000, memoryMb: 1_024 })
    const [guilty, ...innocent] = await Promise.all([
      hostile.run({ act: 'fill' }),
      ...waiting.map(({ run }) => run({ ms: 1_000 })),
    ])
    expect(guilty).toMatchObject({ outcome: 'out-of-memory' })
    expect(innocent.map(({ outcome }) => outcome)).toEqual(innocent.map(() => 'ok'))
    // Once in the shared process; what it did by itself ended only its own.
    expect(deaths).toBe(1)
  })
})

describe('loads that cannot be ended', () => {
  it('end the process of the others once, however many they are', { timeout: 60_000 }, async () => {
    const harmless = await load({ timeoutMs: 20_000 })
    const wedging = Array.from({ length: 6 }, () =>
      makeProgram(`${wedge}; export function onChange() {}`, { timeoutMs: 300 }),
    )
    const refused = await Promise.allSettled(wedging.map((program) => runtime.load(program)))
    expect(refused.map(({ status }) => status)).toEqual(wedging.map(() => 'rejected'))
    expect(deaths).toBe(1)
    expect(linesOf(await harmless.run())).toEqual(['1'])
  })
})

describe('slots of a version', () => {
  it('run at the same time, each in an isolate of its own', async () => {
    const { run, version } = await load({ timeoutMs: 20_000 })
    await run()
    const began = performance.now()
    const results = await Promise.all([0, 1, 2].map((slot) => run({ ms: 700 }, slot)))
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(results.map(linesOf)).toEqual([['2'], ['1'], ['1']])
    expect(linesOf(await run({}, 2))).toEqual(['2'])
    await runtime.unload(version)
    await expect(run({}, 1)).rejects.toThrow('not loaded')
  })

  it('are all begun anew when their process ends', async () => {
    const { run } = await load({ timeoutMs: 20_000 })
    const runs = [0, 1].map((slot) => run({ ms: 500 }, slot))
    const hostile = await loadProgram(runtime, `export function onChange() { ${wedge} }`, { timeoutMs: 100 })
    await hostile()
    expect((await Promise.all(runs)).map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
  })
})
