/** `host.http` with a `signal`: what a script gives up is ended in the engine, and is not lost count of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import {
  type AnswerCall,
  type HostAnswer,
  type HostCall,
  type Runtime,
  startRuntime,
} from '../../src/runtime/runtime.ts'
import { startOutsideServer } from '../support/outside-server.ts'
import { linesOf, loadProgram } from '../support/program.ts'
import { openTestHost } from '../support/test-host.ts'
import { until } from '../support/until.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

const load = (body: string, before = '') =>
  loadProgram(
    runtime,
    `${before}\nexport async function onChange(event, host) {
       const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
       const controller = new AbortController()
       const { signal } = controller
       ${body}
     }`,
  )

const ok: HostAnswer = { ok: true, value: '{"status":200,"ok":true,"headers":{},"text":""}' }
const given: HostAnswer = { ok: false, error: { code: 'http-failed', message: 'It was given up' } }

/** An engine whose requests never end by themselves, but for those to a path that begins with `/ok`. */
function patientEngine() {
  const made: string[] = []
  const ended: string[] = []
  const answer = (call: HostCall, signal?: AbortSignal): Promise<HostAnswer> => {
    const { url } = JSON.parse(call.argumentsJson)
    made.push(url)
    if (url.startsWith('/ok')) return Promise.resolve(ok)
    return new Promise((resolve) => {
      signal?.addEventListener('abort', () => {
        ended.push(url)
        resolve(given)
      })
    })
  }
  return { made, ended, answer }
}

describe('a request with a signal', () => {
  it('that is aborted already is not made, and fails with the reason', async () => {
    const { made, answer } = patientEngine()
    const run = await load(`controller.abort(event)
      await host.http('/never', { signal }).catch((reason) => console.log(reason === event))
      await host.http('/never', { signal: AbortSignal.abort() }).catch(({ name }) => console.log(name))`)
    expect(linesOf(await run('onChange', {}, answer))).toEqual(['true', 'AbortError'])
    expect(made).toEqual([])
  })

  it('fails with the reason when it is aborted, and is ended in the engine, and no other', async () => {
    const { made, ended, answer } = patientEngine()
    const run = await load(`const [first, second] = [new AbortController(), new AbortController()]
      const waiting = [first, second].map(({ signal }, n) => host.http('/' + n, { signal }))
      for (const request of waiting) request.catch(({ name, message }) => console.log(name, message))
      await host.http('/ok')
      first.abort()
      await waiting[0].catch(() => {})
      console.log((await host.http('/ok', { signal: second.signal })).status)
      second.abort(new RangeError('mine'))`)
    const result = await run('onChange', {}, answer)
    expect(result.error).toBeNull()
    expect(linesOf(result)).toEqual(['AbortError This operation was aborted', '200', 'RangeError mine'])
    expect(made).toEqual(['/0', '/1', '/ok', '/ok'])
    expect(ended).toEqual(['/0', '/1'])
  })

  it('is waited for until the engine has ended it', async () => {
    const order: string[] = []
    const run = await load(`const request = host.http('/never', { signal })
      await wait(1)
      controller.abort()
      await request.catch(() => console.log('given up'))`)
    const result = await run('onChange', {}, (_: HostCall, signal?: AbortSignal) => {
      return new Promise<HostAnswer>((resolve) => {
        signal?.addEventListener('abort', () =>
          setTimeout(() => {
            order.push('ended')
            resolve(given)
          }, 50),
        )
      })
    })
    order.push('over')
    expect(linesOf(result)).toEqual(['given up'])
    expect(order).toEqual(['ended', 'over'])
  })

  it('that still waits in line is never made', async () => {
    const { made, ended, answer } = patientEngine()
    const run = await load(`const all = Array.from({ length: 300 }, (_, n) => host.http('/' + n, { signal }))
      const last = host.http('/ok/last')
      await wait(1)
      controller.abort('enough')
      const reasons = await Promise.allSettled(all)
      console.log(new Set(reasons.map(({ reason }) => reason)).size, reasons[299].reason)
      await last
      for (let round = 0; round < 3; round++) {
        await Promise.all(Array.from({ length: 100 }, () => host.http('/ok')))
      }`)
    const result = await run('onChange', {}, answer)
    expect(result.error).toBeNull()
    expect(linesOf(result)).toEqual(['1 enough'])
    expect(ended).toHaveLength(64)
    expect(made.filter((url) => url !== '/ok')).toEqual([...ended, '/ok/last'])
  })

  it('that has just been answered is not ended', async () => {
    const { made, ended, answer } = patientEngine()
    const run = await load(`const request = host.http('/ok', { signal })
      const end = Date.now() + 100
      await wait(1)
      while (Date.now() < end);
      controller.abort('late')
      await request.then(() => console.log('answered'), (reason) => console.log(reason))
      console.log((await host.http('/ok')).status)`)
    const result = await run('onChange', {}, answer)
    expect(result.error).toBeNull()
    expect(linesOf(result).at(-1)).toBe('200')
    expect([made, ended]).toEqual([['/ok', '/ok'], []])
  })

  it('fails with a TimeoutError that is placed where the script set the timeout', async () => {
    const { ended, answer } = patientEngine()
    const run = await load(`\n\nawait host.http('/never', { signal: AbortSignal.timeout(20) })`)
    const { error } = await run('onChange', {}, answer)
    expect(error).toMatchObject({ name: 'TimeoutError', file: 'script.ts', line: 8 })
    await expect.poll(() => ended).toEqual(['/never'])
  })

  it('needs a timer only while it waits', async () => {
    const { answer } = patientEngine()
    const run = await load(`for (let n = 0; n < 300; n++) {
        await host.http('/ok', { signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]) })
      }`)
    expect(await run('onChange', {}, answer)).toMatchObject({ outcome: 'ok' })
  })

  it('takes an AbortSignal or none', async () => {
    const { made, answer } = patientEngine()
    const run = await load(`for (const signal of [undefined, null]) await host.http('/ok', { signal })
      for (const signal of [{}, { aborted: true }, 1, Object.create(AbortSignal.prototype)])
        await host.http('/never', { signal }).catch(({ name, message }) => console.log(name, message))`)
    const result = await run('onChange', {}, answer)
    expect(linesOf(result)).toEqual(Array(4).fill('TypeError The signal is not an AbortSignal'))
    expect(made).toEqual(['/ok', '/ok'])
  })

  it('of an earlier run is no matter of a later one', async () => {
    const { ended, answer } = patientEngine()
    const run = await load(
      `if (event.first) {
         host.http('/never', { signal: kept.signal })
         throw new Error('as asked')
       }
       kept.abort()
       await host.http('/ok', { signal })`,
      'const kept = new AbortController()',
    )
    expect(await run('onChange', { first: true }, answer)).toMatchObject({ error: { message: 'as asked' } })
    expect(ended).toEqual(['/never'])
    expect(await run('onChange', {}, answer)).toMatchObject({ outcome: 'ok' })
    expect(ended).toEqual(['/never'])
  })

  it('lets go of the other server when it is given up, while the run goes on', async () => {
    await using outside = await startOutsideServer((request, response) => {
      if (request.url === '/slow') response.write('begun')
      else response.end('quick')
    })
    await using opened = await openTestHost({ granted: { http: [outside.url] } })
    const { history } = opened.begin()
    const run = await load(
      `const request = host.http(event.url + 'slow', { signal })
       request.catch(({ name }) => console.log(name))
       await host.kv.get('the request has arrived')
       controller.abort()
       await host.kv.get('the connection is closed')
       console.log((await host.http(event.url)).text)`,
    )
    const result = await run('onChange', { url: outside.url }, async (...asked: Parameters<AnswerCall>) => {
      const [call] = asked
      if (call.name === 'http') return await history.answer(...asked)
      if (call.argumentsJson.includes('arrived'))
        await until('it to arrive', () => outside.requests.length === 1)
      else await until('it to be closed', async () => (await outside.connections()) === 0)
      return { ok: true, value: 'null' }
    })
    expect(result.error).toBeNull()
    expect(linesOf(result)).toEqual(['AbortError', 'quick'])
    expect(history.records().map(({ ok, code }) => [ok, code])).toEqual([
      [false, 'http-failed'],
      [true, undefined],
    ])
  })
})
