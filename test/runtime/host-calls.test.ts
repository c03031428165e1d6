import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type HostAnswer, type HostCall, type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { linesOf, loadProgram } from '../support/program.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

const id = '00000000-00000000-00000000-00000000-00000000'

describe('host calls', () => {
  it.each([
    [`host.get('/studies')`, 'get', { path: '/studies' }],
    [
      `host.send({ id: '${id}', level: 'Study', tags: {} }, 'A')`,
      'send',
      { level: 'Study', id, modality: 'A' },
    ],
    [
      `host.http('http://a/')`,
      'http',
      { url: 'http://a/', method: 'GET', headers: {}, body: null, timeoutMs: null },
    ],
    [
      `host.http('http://a/', { method: 'POST', body: { n: 1 }, timeoutMs: 5 })`,
      'http',
      {
        url: 'http://a/',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"n":1}',
        timeoutMs: 5,
      },
    ],
    [
      `host.http('http://a/', { method: 'PUT', headers: { 'Content-Type': 'text/x' }, body: 'é' })`,
      'http',
      { url: 'http://a/', method: 'PUT', headers: { 'Content-Type': 'text/x' }, body: 'é', timeoutMs: null },
    ],
    [
      `host.http('http://a/', { methd: 'POST' })`,
      'http',
      { methd: 'POST', url: 'http://a/', method: 'GET', headers: {}, body: null, timeoutMs: null },
    ],
    [`host.hash('sha256', 'x')`, 'hash', { algorithm: 'sha256', text: 'x', key: null }],
    [`host.hash('md5', 'x', 'k')`, 'hash', { algorithm: 'md5', text: 'x', key: 'k' }],
    [`host.kv.get('k')`, 'kv.get', { key: 'k' }],
    [`host.kv.set('k', { a: [1] })`, 'kv.set', { key: 'k', value: '{"a":[1]}' }],
    [`host.kv.delete('k')`, 'kv.delete', { key: 'k' }],
    [`host.kv.list()`, 'kv.list', { prefix: '', after: null }],
    [`host.kv.list('a', { after: 'ab' })`, 'kv.list', { prefix: 'a', after: 'ab' }],
  ])('%s reaches the engine', async (call, name, args) => {
    const calls: HostCall[] = []
    const run = await loadProgram(runtime, `export async function onChange(e, host) { await ${call} }`)
    const result = await run('onChange', {}, async (hostCall: HostCall): Promise<HostAnswer> => {
      calls.push(hostCall)
      return { ok: true, value: '{"status":200,"ok":true,"headers":{},"text":"{}"}' }
    })
    expect(result.error).toBeNull()
    expect(calls.map((made) => [made.name, JSON.parse(made.argumentsJson)])).toEqual([[name, args]])
  })

  it('give the answer to the script', async () => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(e, host) {
         const response = await host.http('http://a/')
         console.log(response.status, response.json().n, await host.kv.set('a', 1), (await host.get('/x')).text)
       }`,
    )
    const value = JSON.stringify({ status: 200, ok: true, headers: {}, text: '{"n":5}' })
    expect(linesOf(await run('onChange', {}, async () => ({ ok: true, value })))).toEqual([
      '200 5 undefined {"n":5}',
    ])
  })

  it('throw what the engine refuses, with its code, where the script awaits', async () => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(e, host) {
  try {
    await host.get('/x')
  } catch (error) {
    console.log(error instanceof Error, error.code, error.message)
    throw error
  }
}`,
    )
    const result = await run()
    expect(linesOf(result)).toEqual(['true not-granted No get here'])
    expect(result).toMatchObject({ outcome: 'threw', error: { message: 'No get here', line: 3 } })
  })

  it('that a run did not await are waited for', async () => {
    const answered: string[] = []
    const run = await loadProgram(
      runtime,
      `export function onChange(e, host) {
         (async () => { await host.get('/1'); await host.get('/2'); console.log('both') })()
       }`,
    )
    const result = await run('onChange', {}, async ({ argumentsJson }: HostCall): Promise<HostAnswer> => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      answered.push(JSON.parse(argumentsJson).path)
      return { ok: true, value: 'null' }
    })
    expect(answered).toEqual(['/1', '/2'])
    expect(linesOf(result)).toEqual(['both'])
  })

  it('are told when the run has ended without them', async () => {
    const run = await loadProgram(runtime, `export const onChange = (e, host) => host.get('/x')`, {
      timeoutMs: 200,
    })
    const aborted = Promise.withResolvers<void>()
    const result = await run('onChange', {}, (_call: HostCall, signal?: AbortSignal) => {
      signal?.addEventListener('abort', () => aborted.resolve())
      return new Promise(() => {})
    })
    expect(result.outcome).toBe('timed-out')
    await aborted.promise
  })

  it('whose handler fails tell the script no more than that', async () => {
    const run = await loadProgram(runtime, `export const onChange = (e, host) => host.get('/x')`)
    const result = await run('onChange', {}, async () => {
      throw new Error('secret')
    })
    expect(result.error?.message).toBe('host.get failed inside the server')
  })

  it('with arguments or an answer that are too long throw', async () => {
    const run = await loadProgram(
      runtime,
      `export async function onChange(e, host) {
         for (const call of [() => host.kv.set('a', 'x'.repeat(3e6)), () => host.get('/x')])
           await call().catch((error) => console.log(error.code))
       }`,
    )
    const value = JSON.stringify('x'.repeat(5 * 1024 * 1024))
    const result = await run('onChange', {}, async () => ({ ok: true, value }))
    expect(linesOf(result)).toEqual(['too-large', 'too-large'])
  })
})
