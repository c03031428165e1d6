/**
 * What a child that has been taken over may say to the engine: anything, and nothing comes of it but what the script
 * of the task that it speaks for was granted.
 */
import { spawn } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createHost } from '../../src/host/host.ts'
import { createLog } from '../../src/log.ts'
import { childCode } from '../../src/runtime/child-code.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import { type SpawnChild, spawnBehind } from '../../src/runtime/spawn.ts'
import { openSqlite } from '../../src/store/store.ts'
import { temporaryFolder } from '../support/folders.ts'
import { startOutsideServer } from '../support/outside-server.ts'
import { linesOf, makeProgram } from '../support/program.ts'

const lyingChild = fileURLToPath(new URL('../support/lying-child.ts', import.meta.url))
const log = createLog('silent')
/** Children that lie, before there are honest ones. */
const liars = 6
const outcomes = ['ok', 'threw', 'timed-out', 'out-of-memory', 'crashed']

/** What came of all the lies. */
const done = { sent: 0, asked: 0, read: 0, longestStallMs: 0 }

it.each(Array.from({ length: 6 }, (_, index) => index + 1))(
  'whatever it says, the engine goes on and grants nothing more (seed %i)',
  { timeout: 60_000 },
  async (seed) => {
    await using granted = await startOutsideServer()
    await using other = await startOutsideServer()
    using folder = temporaryFolder()
    await using store = await openSqlite({ folder: folder.path })
    const sent: string[] = []
    const asked: string[] = []
    const pacs = { aet: 'X', host: '127.0.0.1', port: 1 }
    const needs = { send: ['GRANTED'], http: [granted.url] }
    await using host = createHost({
      settings: { grants: { 'a.ts': needs }, modalities: { GRANTED: pacs, OTHER: pacs } },
      store,
      get: async (path) => {
        asked.push(path)
        return { status: 200, body: '{}' }
      },
      send: async (_, modality) => {
        sent.push(modality)
        return { sent: 1 }
      },
      log,
    })
    const code = await childCode()
    let spawned = 0
    const spawnLiar: SpawnChild = (heartbeatMs) => {
      if (++spawned > liars) return spawnBehind(code, [], heartbeatMs, 'usual')
      const numbers = [String(seed * 1_000 + spawned), granted.url, other.url]
      const child = spawn(process.execPath, ['--no-warnings', lyingChild, ...numbers], {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
        env: {},
      })
      return { process: child, pipe: child.stdio[3] as Duplex, errorOutput: child.stderr! }
    }
    const loop = monitorEventLoopDelay({ resolution: 5 })
    loop.enable()
    const options = { log, spawn: spawnLiar, heartbeatMs: 100, graceMs: 200 }
    await using runtime = await startRuntime(options)
    const source = `export function onChange() { console.log('honest') }`
    const [a, b] = ['a.ts', 'b.ts'].map((name) => makeProgram(source, { timeoutMs: 300 }, name)) as [
      ReturnType<typeof makeProgram>,
      ReturnType<typeof makeProgram>,
    ]
    const histories: ReturnType<typeof host.begin>[] = []
    const run = async (program: typeof a, ahead: boolean) => {
      const mayAsk = program === a ? needs : { send: [], http: [] }
      // It declares the same needs, and was granted nothing.
      const context = {
        script: program.script,
        needs,
        idempotencyKey: 'key',
        sendsOnly: null,
        isLive: () => true,
      }
      let history = host.begin(context)
      if (mayAsk !== needs) histories.push(history)
      await runtime.load(program).catch(() => {})
      const request = {
        version: program.version,
        callback: 'onChange',
        event: '{}',
        answer: (...asked: Parameters<typeof history.answer>) => history.answer(...asked),
        onBeginAgain: () => {
          history = host.begin(context)
          if (mayAsk !== needs) histories.push(history)
        },
      }
      return ahead ? await runtime.runAhead(request) : await runtime.run(request)
    }
    for (let round = 0; round < 4; round++) {
      const results = await Promise.allSettled([a, b, a, b].map((program, index) => run(program, index > 1)))
      for (const result of results) {
        if (result.status === 'fulfilled' && result.value !== null) {
          expect(outcomes).toContain(result.value.outcome)
          expect(result.value.logs.length).toBeLessThan(20_000)
        }
      }
    }

    // Nobody was asked for what was not granted, and a script without grants got nothing.
    expect(sent.filter((modality) => modality !== 'GRANTED')).toEqual([])
    expect(other.requests).toEqual([])
    expect(asked.filter((path) => !/^\/(system|studies)/.test(path))).toEqual([])
    const ofB = histories.flatMap((history) => history.records())
    expect(ofB.filter(({ name, ok }) => ok && (name === 'send' || name === 'http'))).toEqual([])
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()

    // When the liars are used up, all is as before.
    // Of a version of its own each time: one that a liar spoke ill of has left the child that all share.
    while (spawned <= liars + 1)
      await run(makeProgram(source, { timeoutMs: 300 }, 'b.ts'), false).catch(() => null)
    const honest = makeProgram(source, {}, 'c.ts')
    const answer = async () => ({ ok: true, value: 'null' }) as const
    let last: string[] = []
    for (let tries = 0; tries < 2 * liars && last[0] !== 'honest'; tries++) {
      await runtime.load(honest).catch(() => {})
      const request = { version: honest.version, callback: 'onChange', event: '{}', answer }
      last = await runtime.run(request).then(linesOf, () => [])
    }
    expect(last.at(-1)).toBe('honest')
    loop.disable()
    // How long exactly is a matter for a benchmark.
    expect(loop.max / 1e6).toBeLessThan(2_000)
    done.sent += sent.length
    done.asked += granted.requests.length
    done.read += asked.length
    done.longestStallMs = Math.max(done.longestStallMs, loop.max / 1e6)
  },
)

it('lies are good enough to get through to what is granted', () => {
  for (const [what, count] of Object.entries(done)) expect(count, what).toBeGreaterThan(0)
})
