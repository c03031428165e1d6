/** Scripts that wake themselves. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { watchStorms } from '../../src/dispatch/storms.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { freePort } from '../support/free-port.ts'
import { startTestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const ids = (name: string) => ({
  patient: `p${name}`,
  study: `t${name}`,
  series: `s${name}`,
  instance: `i${name}`,
})

test('only what comes back between two runs of one callback about one resource counts, in a row', () => {
  let nowMs = 0
  const storms = watchStorms(() => nowMs)
  const ended = (name: string, resource: string) =>
    storms.ended({ name, resource, idempotencyKey: `${name} ${resource}`, cause: null })
  expect(ended('a', 't1')).toBe(0)
  storms.echoed(ids('1'))
  storms.echoed(ids('2'))
  expect([ended('a', 't1'), ended('b', 't1'), ended('a', 't2')]).toEqual([1, 0, 0])
  storms.echoed(ids('1'))
  expect(ended('a', 't1')).toBe(2)
  expect(ended('a', 't1')).toBe(0)
  nowMs += 600_001
  storms.echoed(ids('1'))
  expect(ended('a', 't1')).toBe(0)
})

test('what a run posted makes a chain with the runs that it wakes, whatever resource and script they are about', () => {
  const storms = watchStorms(() => 0)
  const ended = (idempotencyKey: string, cause: string | null) =>
    storms.ended({ name: idempotencyKey, resource: idempotencyKey, idempotencyKey, cause })
  expect([ended('1', null), ended('2', '1'), ended('3', '2')]).toEqual([0, 1, 2])
  // A second one out of the first, and one whose cause is not remembered.
  expect([ended('4', '1'), ended('5', 'long ago')]).toEqual([1, 1])
})

test('a script that answers each instance with a further one of the same study is suspended', async () => {
  let made = 0
  const maker = createServer(async (request, response) => {
    request.resume()
    const key = String(request.headers['idempotency-key'])
    const body = new Uint8Array(dicomFile({ instance: `more${++made}` }))
    await fetch(`${engine.url}/instances`, { method: 'POST', body, headers: { 'idempotency-key': key } })
    response.end('{}')
  })
  await new Promise<void>((resolve) => maker.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(maker.address() as AddressInfo).port}`
  const script = `export const script = { needs: { http: ['${origin}'] } }
    export const onStoredInstance = ({ idempotencyKey }, host) => host.http('${origin}', {
      method: 'POST', headers: { 'idempotency-key': idempotencyKey }, body: '' })`
  await using engine = await startTestEngine({
    settings: { maxEchoes: 5, grants: { 'more.js': { http: [origin] } } },
    scripts: { 'more.js': script },
  })
  await engine.post(dicomFile({ instance: '1' }))
  const state = async () => (await engine.read<{ state: string }[]>('/scripts'))[0]?.state
  await until('it to be suspended', async () => (await state()) === 'suspended')
  // The one that suspends it has posted, too.
  expect(made).toBe(7)
  // What it posted last waits for it.
  writeFileSync(join(engine.scripts, 'more.js'), `${script}\n`)
  await until('it to be suspended again', async () => made > 7 && (await state()) === 'suspended')
  expect(made).toBe(13)
  maker.close()
})

test('a run that has woken itself counts with the next about the same, and a script that may begin anew is forgotten', () => {
  const storms = watchStorms(() => 0)
  const ended = (key: string) =>
    storms.ended({ name: 'a.js onStableStudy', resource: 't1', idempotencyKey: key, cause: null })
  storms.woke('1')
  expect([ended('1'), ended('2'), ended('3')]).toEqual([0, 1, 0])
  storms.woke('4')
  ended('4')
  storms.forget('a.js')
  expect(ended('5')).toBe(0)
})

test('a script that was saved or resumed begins a chain anew', () => {
  const storms = watchStorms(() => 0)
  const ended = (name: string, idempotencyKey: string, cause: string | null) =>
    storms.ended({ name: `${name} onStoredInstance`, resource: idempotencyKey, idempotencyKey, cause })
  expect([ended('a.js', '1', null), ended('a.js', '2', '1'), ended('b.js', '3', '2')]).toEqual([0, 1, 2])
  storms.forget('a.js')
  expect([ended('a.js', '4', '2'), ended('b.js', '5', '3')]).toEqual([1, 3])
})

test.each([
  [
    'settles its study again and again',
    `'/studies/' + study.id + '/unsettle', '/studies/' + study.id + '/settle'`,
  ],
  ['has itself told again and again', `'/scripts/loop.js/replay?seq=' + (study.seq - 1)`],
])('a script that %s is suspended', async (_, paths) => {
  const httpPort = await freePort()
  const origin = `http://127.0.0.1:${httpPort}`
  await using engine = await startTestEngine({
    settings: { stableAge: 0.05, httpPort, maxEchoes: 3, grants: { 'loop.js': { http: [origin] } } },
    scripts: {
      'loop.js': `export const script = { needs: { http: ['${origin}'] } }
        export async function onStableStudy(study, host) {
          for (const path of [${paths}]) {
            const { status } = await host.http('${origin}' + path, { method: 'POST', body: '' })
            host.log(path + ' ' + status)
          }
        }`,
    },
  })
  await engine.post(dicomFile({ instance: '1' }))
  await until('it to be suspended', async () =>
    (await engine.read<{ state: string }[]>('/scripts')).some(({ state }) => state === 'suspended'),
  )
  await until('its runs', async () => (await engine.read<unknown[]>('/runs')).length >= 5)
  expect((await engine.read<unknown[]>('/runs')).length).toBe(5)
})

test('an instance that outside senders send again and again is no storm', async () => {
  const sink = createServer((request, response) => void request.resume().on('end', () => response.end('{}')))
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`
  await using engine = await startTestEngine({
    settings: { maxEchoes: 2, overwriteInstances: 'Always', grants: { 'tell.js': { http: [origin] } } },
    scripts: {
      'tell.js': `export const script = { needs: { http: ['${origin}'] } }
        export const onStoredInstance = (event, host) => host.http('${origin}', { method: 'POST', body: '' })`,
    },
  })
  for (let n = 1; n <= 5; n++) {
    await engine.post(dicomFile({ instance: '1' }))
    await until('its run', async () => (await engine.read<unknown[]>('/runs')).length === n)
  }
  expect(await engine.read('/scripts')).toMatchObject([{ state: 'in-force' }])
  sink.close()
})

test('a script that sends each stable study to its own server is suspended with a reason, until it is resumed', async () => {
  const dicomPort = await freePort()
  await using engine = await startTestEngine({
    settings: {
      stableAge: 0.05,
      overwriteInstances: 'Always',
      dicomPort,
      maxEchoes: 3,
      modalities: { SELF: { aet: 'ONSTABLE', host: '127.0.0.1', port: dicomPort } },
      grants: { 'loop.js': { send: ['SELF'] } },
    },
    scripts: {
      'loop.js': `export const script = { needs: { send: ['SELF'] } }
        export async function onStableStudy(study, host) { await host.send(study, 'SELF') }`,
      'other.js': 'export function onStableStudy() {}',
    },
  })
  await engine.post(dicomFile({ instance: '1' }))
  const suspended = () =>
    until('it to be suspended', async () =>
      (
        await engine.read<{ name: string; state: string; problem: { message: string } | null }[]>('/scripts')
      ).find(({ state }) => state === 'suspended'),
    )
  expect(await suspended()).toMatchObject({
    name: 'loop.js',
    problem: {
      message: expect.stringMatching(
        /^What it sent or posted came back and woke it 4 times in a row, for \S+ \(maxEchoes\)$/,
      ),
    },
  })
  const runs = () => engine.read<unknown[]>('/runs?script=loop.js')
  // The last is written down behind the suspension.
  await until('its five runs', async () => (await runs()).length === 5)
  await fetch(`${engine.url}/scripts/loop.js/resume`, { method: 'POST' })
  await until(
    'it to run again',
    async () => (await engine.read<unknown[]>('/runs?script=loop.js')).length > 5,
  )
  await suspended()
})

test('what is posted with the idempotency key of a run of this server says so in its origin', async () => {
  await using engine = await startTestEngine({
    scripts: {
      'a.js': `export function onStoredInstance({ idempotencyKey, origin }, host) {
        host.log(idempotencyKey)
        host.log(String(origin.cause)) }`,
    },
  })
  const textsOf = (count: number) =>
    until(`${count} runs`, async () => {
      const runs = await engine.read<{ logs: { text: string }[] }[]>('/runs')
      return runs.length >= count ? runs[0]!.logs.map(({ text }) => text) : undefined
    })
  await engine.post(dicomFile({ instance: '1' }))
  const [key, cause] = await textsOf(1)
  expect(cause).toBe('undefined')
  for (const [count, sent, shown] of [
    [2, key!, key!],
    [3, 'another-1:a.js:onStoredInstance', 'undefined'],
  ] as const) {
    const body = new Uint8Array(dicomFile({ instance: String(count) }))
    await fetch(`${engine.url}/instances`, { method: 'POST', body, headers: { 'idempotency-key': sent } })
    expect((await textsOf(count))[1]).toBe(shown)
  }
})
