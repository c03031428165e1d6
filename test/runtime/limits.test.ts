/** The limits of a run: which one was met is said by name and number, and the next run works. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type HostCall, type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { linesOf, loadProgram } from '../support/program.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

describe('limits', () => {
  const time = 'longer than its limit of 300 ms'
  const memory = 'more than its limit of 32 MB (memoryMb)'
  it.each([
    ['a loop', 'for (;;);', 'timed-out', time],
    ['a loop after an await', 'await 0; for (;;);', 'timed-out', time],
    ['a loop after a host call', 'await host.get("/x"); for (;;);', 'timed-out', time],
    ['a loop in a timer', 'await new Promise(() => setTimeout(() => { for (;;); }))', 'timed-out', time],
    ['a wait without end', 'await new Promise(() => {})', 'timed-out', time],
    ['host calls without end', 'for (;;) await host.get("/x")', 'timed-out', time],
    ['microtasks without end', '(async () => { for (;;) await 0 })()', 'timed-out', time],
    ['a full heap', 'const k = []; for (;;) k.push(new Array(1e5).fill(1.5))', 'out-of-memory', memory],
    ['array buffers', 'const k = []; for (;;) k.push(new ArrayBuffer(1 << 24))', 'out-of-memory', memory],
  ])('%s: the outcome names the limit, and the next run works', async (_, body, outcome, message) => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(e, host) { ${body} }
       export function onStoredInstance() { console.log('fine') }`,
      // On a busy machine the memory may take longer to fill than the others are to wait.
      { timeoutMs: outcome === 'out-of-memory' ? 10_000 : 300, memoryMb: 32 },
    )
    const answer = async () => ({ ok: true, value: '1' }) as const
    const result = await run('onChange', {}, answer)
    expect(result.outcome).toBe(outcome)
    expect(result.error?.message).toContain(message)
    const next = await run('onStoredInstance')
    expect(next.outcome).toBe('ok')
    expect(linesOf(next)).toEqual(['fine'])
  })

  it.each([
    ['in one go', 'for (;;);'],
    [
      'with pauses',
      'for (;;) { await new Promise((r) => setTimeout(r, 0)); for (let i = 0; i < 1e6; i++); }',
    ],
    ['in promises', 'for (;;) await 0'],
  ])('work %s: its time counts, and waiting does not', async (_, work) => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(e) {
         if (e.wait) return new Promise((resolve) => setTimeout(resolve, 600))
         ${work} }`,
      { timeoutMs: 20_000, cpuMs: 300 },
    )
    expect((await run('onChange', { wait: true })).outcome).toBe('ok')
    const result = await run()
    expect(result.outcome).toBe('timed-out')
    expect(result.error).toMatchObject({
      name: 'CpuLimit',
      message: 'The run was at work for longer than its limit of 300 ms (cpu)',
    })
    expect(result.durationMs).toBeLessThan(15_000)
    expect((await run('onChange', { wait: true })).outcome).toBe('ok')
  })

  it('a loop: the error says where it was', async () => {
    // It has to have begun by then, on a busy machine, too.
    const run = await loadProgram(runtime, 'export function onChange() {\n  for (;;) {}\n}', {
      timeoutMs: 1_000,
    })
    expect((await run()).error).toMatchObject({ file: 'script.ts', line: 2 })
  })

  it.each([
    ['in one go', 'for (;;) clearTimeout(setTimeout(() => {}, 1e6))'],
    ['in promises', 'for (;;) { await 0; clearTimeout(setTimeout(() => {}, 1e6)) }'],
    [
      'in a chain',
      'const f = () => { for (let i = 0; i < 200; i++) setTimeout(f, 0) }; f(); await new Promise(() => {})',
    ],
  ])('timers without end, %s: only the run itself is held up', async (_, body) => {
    const run = await loadProgram(runtime, `export async function onChange() { ${body} }`, { timeoutMs: 400 })
    const other = await loadProgram(runtime, `export function onChange() { console.log('fine') }`)
    await other()
    const flood = run()
    const others = await Promise.all(Array.from({ length: 10 }, () => other()))
    expect(others.map(linesOf)).toEqual(others.map(() => ['fine']))
    expect(['threw', 'timed-out']).toContain((await flood).outcome)
  })

  it('a log is cut, and says so', async () => {
    const run = await loadProgram(
      runtime,
      `export function onChange() { for (let i = 0; i < 1e6; i++) console.log('ä'.repeat(100)) }`,
    )
    const lines = linesOf(await run())
    expect(Buffer.byteLength(lines.slice(0, -1).join(''))).toBeLessThanOrEqual(64 * 1024)
    expect(lines.at(-1)).toContain('met its limit of 65536 bytes')
    expect(lines.filter((line) => line.includes('met its limit'))).toHaveLength(1)
  })

  it('host calls beyond 50,000 of a run are refused, and the run may go on', async () => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(e, host) {
         let made = 0, refused
         for (let i = 0; i < 1_000; i++) {
           const some = await Promise.allSettled(Array.from({ length: 60 }, () => host.get('/system')))
           made += some.filter(({ status }) => status === 'fulfilled').length
           refused = some.find(({ status }) => status === 'rejected')
           if (refused) break
         }
         console.log(made, refused.reason.code)
       }`,
      { timeoutMs: 25_000 },
    )
    const result = await run('onChange', {}, async () => ({ ok: true, value: '1' }))
    expect(linesOf(result)).toEqual(['50000 too-large'])
  })

  it('host calls beyond 64 at a time wait for their turn', async () => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(e, host) {
         const all = await Promise.all(Array.from({ length: 500 }, (_, i) => host.get('/' + i)))
         console.log(all.length, all[499])
       }`,
    )
    let waiting = 0
    let most = 0
    const result = await run('onChange', {}, async ({ argumentsJson }: HostCall) => {
      most = Math.max(most, ++waiting)
      await new Promise((resolve) => setImmediate(resolve))
      waiting--
      return { ok: true, value: JSON.stringify(JSON.parse(argumentsJson).path) }
    })
    expect(linesOf(result)).toEqual(['500 /499'])
    expect(most).toBeLessThanOrEqual(64)
  })

  it('large events and answers leave nothing behind in the isolate', async () => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(event, host) { await host.get('/system') }`,
    )
    const large = 'x'.repeat(100_000)
    const answer = async () => ({ ok: true, value: JSON.stringify(large) }) as const
    let most = 0
    for (let each = 0; each < 200; each++) {
      most = Math.max(most, (await run('onChange', { large }, answer)).memoryBytes)
    }
    expect(most / 1024 / 1024).toBeLessThan(24)
  })

  it('an event of almost 4 MB arrives as it is, whatever its characters', async () => {
    const run = await loadProgram(
      runtime,
      `export function onChange({ text }) {
         for (let at = 0; at < text.length; at += 5) if (text.slice(at, at + 5) !== 'aé漢😀') throw new Error(at)
         console.log(text.length)
       }`,
    )
    const text = 'aé漢😀'.repeat(390_000)
    expect(linesOf(await run('onChange', { text }))).toEqual([String(text.length)])
  })
})
