import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OnStableError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { linesOf, loadProgram, makeProgram } from '../support/program.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

describe('loading', () => {
  it('says which functions are exported and what the script says of itself', async () => {
    const source = `export const script = { retry: { attempts: 2 } }
      export function onChange() {}
      export const helper = () => {}, number = 7`
    const loaded = await runtime.load(makeProgram(source))
    expect([...loaded.functions].sort()).toEqual(['helper', 'onChange'])
    expect(loaded.manifest).toEqual({ retry: { attempts: 2 } })
  })

  it('gives no manifest where there is none', async () => {
    expect((await runtime.load(makeProgram('export function onChange() {}'))).manifest).toBeUndefined()
  })

  it('calls initialize once, however often a version is loaded', async () => {
    const program = makeProgram(`let calls = 0
      export async function initialize() { await 0; calls++ }
      export function onChange() { console.log(calls) }`)
    await Promise.all([runtime.load(program), runtime.load(program)])
    await runtime.load(program)
    const result = await runtime.run({
      version: program.version,
      callback: 'onChange',
      event: '{}',
      answer: async () => ({ ok: true, value: 'null' }),
    })
    expect(linesOf(result)).toEqual(['1'])
  })

  it.each([
    ['code that throws', `null.x`, /Cannot read properties of null/],
    ['initialize that throws', `export function initialize() { throw new Error('no') }`, /refused: no/],
    [
      'initialize that rejects',
      `export async function initialize() { throw new Error('no') }`,
      /refused: no/,
    ],
    ['code that never ends', 'export const x = 1; for (;;);', /longer than its limit of 300 ms/],
    [
      'initialize that never ends',
      'export const initialize = () => new Promise(() => {})',
      /limit of 300 ms/,
    ],
    ['host calls in initialize', `export const initialize = (h) => h.kv.get('a')`, /event callbacks only/],
    ['a manifest that is not data', 'export const script = { a: 1n }', /BigInt/],
    ['a rejection nobody handles', `Promise.reject(new Error('lost')); export const x = 1`, /lost/],
  ])('is refused for %s', async (_, source, message) => {
    const loading = runtime.load(makeProgram(source, { timeoutMs: 300, memoryMb: 32 }))
    await expect(loading).rejects.toThrow(message)
    await expect(loading).rejects.toMatchObject({ code: 'script-refused' })
  })

  it('is refused for code that fills memory', async () => {
    const source = 'const k = []; for (;;) k.push(new Array(1e5).fill(1.5))'
    // Time enough on a busy machine: it is the other limit that is to be met.
    const loading = runtime.load(makeProgram(source, { timeoutMs: 20_000, memoryMb: 32 }))
    await expect(loading).rejects.toThrow(/limit of 32 MB/)
    await expect(loading).rejects.toMatchObject({ code: 'script-refused' })
  })

  it('names the place in the source that refused', async () => {
    const source = `\n\nexport function initialize(): void {\n  throw new RangeError('bad start')\n}`
    const error = await runtime.load(makeProgram(source, {}, 'route.ts')).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(OnStableError)
    expect(error.cause).toMatchObject({ name: 'RangeError', file: 'route.ts', line: 4 })
  })
})

describe('a run', () => {
  it('is awaited, and ends ok with what it used', async () => {
    const run = await loadProgram(
      runtime,
      'export async function onChange(e) { await new Promise((r) => setTimeout(r, 20)); console.log(e.a) }',
    )
    const result = await run('onChange', { a: 'é' })
    expect(result).toMatchObject({ outcome: 'ok', error: null, logs: [{ level: 'info', text: 'é' }] })
    expect(result.memoryBytes).toBeGreaterThan(100_000)
    expect(result.durationMs).toBeGreaterThan(0)
  })

  it('that throws says where in the source, and nothing of this machine', async () => {
    const source = `type T = { a: string }\n\nexport async function onChange(e: T) {\n  await 0\n  inner(e)\n}
function inner(e: T): void {\n  throw new TypeError('bad ' + e.a)\n}`
    const { outcome, error } = await (await loadProgram(runtime, source))('onChange', { a: 'x' })
    expect(outcome).toBe('threw')
    expect(error).toMatchObject({
      name: 'TypeError',
      message: 'bad x',
      file: 'script.ts',
      line: 8,
      column: 9,
    })
    expect(error?.stack).toMatch(/at inner \(script\.ts:8:9\)\n\s+at onChange \(script\.ts:5:3\)/)
    expect(error?.stack).not.toMatch(/onstable:|src\/runtime|node_modules/)
  })

  it.each([
    ['a string', `'text'`, 'text was thrown: expected an Error'],
    ['null', 'null', 'null was thrown: expected an Error'],
    ['a symbol', `Symbol('s')`, 'Symbol(s) was thrown: expected an Error'],
    [
      'an error with a getter that throws',
      `Object.defineProperty(new Error('m'), 'name', { get() { throw 1 } })`,
      'm',
    ],
  ])('that throws %s ends threw', async (_, thrown, message) => {
    const run = await loadProgram(runtime, `export function onChange() { throw ${thrown} }`)
    expect(await run()).toMatchObject({ outcome: 'threw', error: { message } })
  })

  it('ends threw for a rejection that nobody handled', async () => {
    const run = await loadProgram(runtime, `export function onChange(e, host) { host.send({}, 'PACS1') }`)
    expect(await run()).toMatchObject({ outcome: 'threw', error: { message: 'No send here', line: 1 } })
    const next = await loadProgram(runtime, 'export function onChange() {}')
    expect((await next()).outcome).toBe('ok')
  })

  it('ends threw for a callback that is not there', async () => {
    const run = await loadProgram(runtime, 'export function onChange() {}')
    expect((await run('onStableStudy')).error?.message).toContain('exports no function "onStableStudy"')
  })

  it('ends threw for an event that is too long', async () => {
    const run = await loadProgram(runtime, 'export function onChange() {}')
    expect((await run('onChange', 'x'.repeat(4 * 1024 * 1024))).error?.message).toContain('longer than 4 MB')
    expect((await run()).outcome).toBe('ok')
  })

  it('is the only one of its version at work, in the order of the calls', async () => {
    const run = await loadProgram(
      runtime,
      `let atWork = 0
       export async function onChange(e) {
         atWork++
         await new Promise((r) => setTimeout(r, 5))
         console.log(e.n, atWork--)
       }`,
    )
    const results = await Promise.all([1, 2, 3, 4].map((n) => run('onChange', { n })))
    expect(results.flatMap(linesOf)).toEqual(['1 1', '2 1', '3 1', '4 1'])
  })

  it('of another version does not wait for it', async () => {
    const slow = await loadProgram(runtime, 'export const onChange = () => new Promise(() => {})', {
      timeoutMs: 800,
    })
    const quick = await loadProgram(runtime, 'export function onChange() {}')
    const ended: string[] = []
    await Promise.all([slow().then(() => ended.push('slow')), quick().then(() => ended.push('quick'))])
    expect(ended).toEqual(['quick', 'slow'])
  })

  it('of a version that is not loaded is a mistake of the caller', async () => {
    const request = { version: 'nowhere', callback: 'onChange', event: '{}' }
    await expect(runtime.run({ ...request, answer: async () => ({ ok: true, value: '' }) })).rejects.toThrow(
      'not loaded',
    )
  })
})
