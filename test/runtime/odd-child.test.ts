/** Single things that a child may do once it has been taken over, and that the engine has to outlive. */
import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import { makeProgram } from '../support/program.ts'

const oddChild = fileURLToPath(new URL('../support/odd-child.ts', import.meta.url))

function startOdd(act: string | (() => string), onExit = () => {}) {
  return startRuntime({
    log: createLog('silent'),
    heartbeatMs: 200,
    graceMs: 200,
    startMs: 3_000,
    spawn: () => {
      const stdio = ['ignore', 'ignore', 'pipe', 'pipe'] as const
      const own = ['--no-warnings', oddChild, typeof act === 'string' ? act : act()]
      const child = spawn(process.execPath, own, { stdio: [...stdio], env: {} })
      child.once('exit', onExit)
      return { process: child, pipe: child.stdio[3] as Duplex, errorOutput: child.stderr! }
    },
  })
}

it.each([
  ['tells of a long stack', 'threw'],
  ['leaves somebody at its pipe', 'crashed'],
  ['asks and does not listen', 'timed-out'],
])('a child that %s ends its run, and soon', { timeout: 30_000 }, async (act, outcome) => {
  await using runtime = await startOdd(act)
  const program = makeProgram('export function onChange() {}', { timeoutMs: 5_000 })
  await runtime.load(program)
  const answer = async () => ({ ok: true, value: JSON.stringify('x'.repeat(4_000_000)) }) as const
  const before = process.memoryUsage().rss
  const began = performance.now()
  const result = await runtime.run({ version: program.version, callback: 'onChange', event: '{}', answer })
  expect(result.outcome).toBe(outcome)
  expect(performance.now() - began).toBeLessThan(15_000)
  expect((process.memoryUsage().rss - before) / 1024 / 1024).toBeLessThan(600)
})

it('a child that speaks nonsense of a load has it refused', async () => {
  await using runtime = await startOdd('speaks nonsense of a load')
  await expect(runtime.load(makeProgram('export function onChange() {}'))).rejects.toMatchObject({
    code: 'script-refused',
  })
})

it('a spare that gives no answer is not taken, and the next is asked', { timeout: 40_000 }, async () => {
  const acts = ['leaves somebody at its pipe', 'gives no answer']
  await using runtime = await startOdd(() => acts.shift() ?? 'tells of a long stack')
  const program = makeProgram('export function onChange() {}', { timeoutMs: 5_000 })
  await runtime.load(program)
  const run = { version: program.version, callback: 'onChange', event: '{}' }
  const answer = async () => ({ ok: true, value: '' }) as const
  expect((await runtime.run({ ...run, answer })).outcome).toBe('crashed')
  expect((await runtime.run({ ...run, answer })).outcome).toBe('threw')
})

it('what is handed to a child that has ended is run by another, and charged with nothing', async () => {
  const acts = ['ends when it has loaded']
  const exited = Promise.withResolvers<void>()
  await using runtime = await startOdd(() => acts.shift() ?? 'tells of a long stack', exited.resolve)
  const program = makeProgram('export function onChange() {}', { timeoutMs: 5_000 })
  await runtime.load(program)
  await exited.promise
  const run = { version: program.version, callback: 'onChange', event: '{}' }
  const answer = async () => ({ ok: true, value: '' }) as const
  expect((await runtime.run({ ...run, answer })).outcome).toBe('threw')
})

it('a child that is never ready is given up', { timeout: 40_000 }, async () => {
  await expect(startOdd('is never ready')).rejects.toThrow('did not start in time')
})
