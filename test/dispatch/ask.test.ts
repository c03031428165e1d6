/** Questions to scripts on whole engines: over HTTP and C-STORE, answered well, badly, late, or not at all. */
import { unlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createSender } from '../../src/jobs/jobs.ts'
import { childPids } from '../support/child-pids.ts'
import { onstable } from '../support/command-line.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const started = async (scripts: Record<string, string>, settings = {}) => {
  const engine = await startTestEngine({ scripts, settings })
  const names = await engine.read<{ state: string }[]>('/scripts')
  expect(names.map(({ state }) => state)).toEqual(Object.keys(scripts).map(() => 'in-force'))
  return engine
}
const filter = (body: string, settings = '') =>
  `export const script = { ${settings} }\nexport async function receivedInstanceFilter(instance, host) { ${body} }`
const statusOf = async (engine: TestEngine, patient: string, instance = '1') => {
  const { status, answer } = await engine.post(dicomFile({ patient, study: patient, instance }))
  return status === 200 ? answer.Status : status
}
const countOf = async (engine: TestEngine) =>
  (await engine.read<{ CountInstances: number }>('/statistics')).CountInstances

test('what one filter refuses is not kept, and its sender is told; what is held already is not asked about', async () => {
  await using engine = await started({
    'a.js': filter(
      `host.log('asked'); return instance.patientTags.PatientID !== 'NO' && instance.sizeBytes > 0`,
    ),
    'b.js': filter(
      `return instance.patientTags.PatientID !== 'NEITHER' && instance.origin.requestOrigin === 'RestApi'`,
    ),
  })
  expect(await statusOf(engine, 'YES')).toBe('Success')
  expect(await statusOf(engine, 'NO')).toBe('FilteredOut')
  expect(await statusOf(engine, 'NEITHER')).toBe('FilteredOut')
  const identifier = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/)
  for (const script of ['a.js', 'b.js'])
    expect(engine.lines).toContainEqual(
      expect.objectContaining({ msg: 'Refused', script, instance: identifier, study: identifier }),
    )
  const asked = () => engine.lines.filter(({ msg }) => msg === 'asked').length
  const before = asked()
  expect(await statusOf(engine, 'YES')).toBe('AlreadyStored')
  expect(asked()).toBe(before)
  expect(await countOf(engine)).toBe(1)
  expect(engine.files()).toHaveLength(1)
})

test('a filter that throws, loops, answers nothing, or waits too long counts as it says', async () => {
  const broken = {
    throws: `throw new Error('no')`,
    loops: 'for (;;);',
    nothing: '',
    words: `return 'yes'`,
    waits: 'await new Promise((resolve) => setTimeout(resolve, 5_000)); return false',
    writes: `await host.kv.set('a', 1); return false`,
    sends: `await host.send(instance, 'A'); return false`,
  }
  const only = (name: string, body: string) =>
    `if (instance.patientTags.PatientID !== '${name}') return true; ${body}`
  const scripts = Object.entries(broken).map(([name, body]) => [name, only(name, body)] as const)
  await using engine = await started(
    Object.fromEntries(
      scripts.map(([name, body]) => [`${name}.js`, filter(body, `ask: { timeout: '300ms' }`)]),
    ),
  )
  for (const [name] of scripts) expect([name, await statusOf(engine, name)]).toEqual([name, 'Success'])
  for (const [name, body] of scripts) {
    writeFileSync(
      join(engine.scripts, `${name}.js`),
      filter(body, `ask: { timeout: '300ms', onFailure: 'reject' }`),
    )
  }
  await until(
    'the new versions',
    () => engine.lines.filter(({ msg }) => msg === 'Script in force').length === 2 * scripts.length,
  )
  for (const [name] of scripts) expect([name, await statusOf(engine, name, '2')]).toEqual([name, 503])
})

test('what a filter that is to reject when it fails has not decided on is sent again, and each time in the log', async () => {
  await using engine = await started({
    'a.js': filter(`throw new Error('broken')`, `ask: { onFailure: 'reject' }`),
  })
  for (let n = 0; n < 8; n++) {
    const { status, answer } = await engine.post(dicomFile({ patient: 'P', instance: String(n) }))
    expect(status).toBe(503)
    expect(answer.Details).toContain('"a.js" gave no answer')
  }
  const said = engine.lines.filter(({ msg }) => msg.startsWith('A question '))
  expect(new Set(said.map(({ instance }) => instance)).size).toBe(8)
  const callback = 'receivedInstanceFilter'
  const silence = {
    callback,
    times: expect.any(Number),
    reason: 'broken',
    counts: 'reject',
    at: expect.any(String),
  }
  expect(await engine.read('/scripts')).toMatchObject([{ state: 'in-force', unanswered: [silence] }])
  const { output } = await onstable(['scripts', 'list', '--url', engine.url])
  expect(output).toMatch(
    /\n {2}receivedInstanceFilter gave no answer, \d times in a row, the last at \S+: broken\. What counts is "reject"\n/,
  )
  writeFileSync(join(engine.scripts, 'a.js'), filter('return true'))
  await until('it to be stored', async () => (await statusOf(engine, 'P', '0')) === 'Success')
  expect(await engine.read('/scripts')).toMatchObject([{ unanswered: [] }])
})

test('a filter that never answers is soon asked only now and then, so that others do not wait for it', async () => {
  await using engine = await started({ 'slow.js': filter('for (;;);', `ask: { timeout: '200ms' }`) })
  for (let n = 0; n < 5; n++) await statusOf(engine, 'P', String(n))
  const at = performance.now()
  for (let n = 5; n < 25; n++) await statusOf(engine, 'P', String(n))
  // Twenty answers of 200 ms each would be four seconds.
  expect(performance.now() - at).toBeLessThan(3_000)
  expect(engine.lines.some(({ msg }) => msg.startsWith('A question is not answered, again and again'))).toBe(
    true,
  )
})

test('a burst of requests passes no filter: those that find no place wait for one', async () => {
  await using engine = await started({
    'a.js': `export const script = { ask: { timeout: '10s' } }
      export async function incomingHttpRequestFilter({ path }) {
        await new Promise((resolve) => setTimeout(resolve, 2))
        return path !== '/statistics' }
      export function receivedInstanceFilter() { return false }`,
  })
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async () => (await fetch(`${engine.url}/statistics`)).status),
  )
  expect(new Set(statuses)).toEqual(new Set([403]))
})

test('one question of a script that fails does not silence another of it', async () => {
  await using engine = await started({
    'a.js': `export function incomingHttpRequestFilter({ headers }) { if (headers['x-bad']) throw new Error('no'); return true }
      export function receivedInstanceFilter() { return false }`,
  })
  for (let n = 0; n < 6; n++) await fetch(`${engine.url}/patients`, { headers: { 'x-bad': '1' } })
  for (let n = 0; n < 3; n++) expect(await statusOf(engine, 'P', String(n))).toBe('FilteredOut')
})

test('a question is answered while the same script is told something that takes long', async () => {
  const text = `export const script = { timeout: '20s', cpu: '20s', ask: { timeout: '5s' } }
    export function onStoredInstance() { const end = Date.now() + 3000; while (Date.now() < end); }
    export function receivedInstanceFilter() { return true }`
  await using engine = await started({ 'a.js': text, 'b.js': text, 'c.js': text })
  await statusOf(engine, 'P', '1')
  await until('the runs to be at work', async () =>
    (await engine.read<{ leased: number }[]>('/backlog')).every(({ leased }) => leased > 0),
  )
  const at = performance.now()
  expect(await statusOf(engine, 'P', '2')).toBe('Success')
  expect(performance.now() - at).toBeLessThan(1_500)
})

test('over C-STORE the sender is told success, not authorized, or the status that the filter chose', async () => {
  await using engine = await started({
    'a.js': `export function receivedCStoreInstanceFilter({ patientTags: { PatientID } }) {
        return PatientID === 'BUSY' ? 0xa700 : PatientID === 'ZERO' ? 0 : PatientID === 'YES' }
      export function receivedInstanceFilter({ patientTags }) { return patientTags.PatientID !== 'QUIET' }`,
  })
  const send = async (patient: string) => {
    const file = dicomFile({ patient, study: patient, instance: '1' })
    const header = (await import('../../src/dicom/dicom.ts')).readHeader([file])
    const { sopClassUid, sopInstanceUid, transferSyntaxUid } = header
    const resource = {
      level: 'Instance',
      id: 'x',
      sopClassUid,
      transferSyntaxUid,
      file: 'x',
      tags: { SOPInstanceUID: sopInstanceUid },
    }
    const sender = createSender({
      settings: {
        dicomAet: 'TEST',
        modalities: { A: { aet: 'A', host: '127.0.0.1', port: engine.dicomPort } },
      },
      store: {
        related: async () => [],
        addedInstances: async () => [],
        findAll: async () => [resource as never],
      },
      read: async () => file,
    })
    return sender.send({ level: 'Instance', id: 'x' }, 'A', AbortSignal.timeout(10_000)).then(
      () => 'taken',
      (error: Error) => /status (\S+)/.exec(error.message)?.[1],
    )
  }
  expect(await send('YES')).toBe('taken')
  expect(await send('ZERO')).toBe('taken')
  expect(await send('QUIET')).toBe('taken')
  expect(await send('NO')).toBe('0x0124')
  expect(await send('BUSY')).toBe('0xA700')
  expect(await countOf(engine)).toBe(2)
})

test('requests are refused by a filter, but for those that repair scripts and those of scripts themselves', async () => {
  await using engine = await started({
    'a.js': `export function incomingHttpRequestFilter({ method, path, query, headers, remoteIp }, host) {
          host.log([method, path, JSON.stringify(query), headers.authorization, headers['x-a'], remoteIp].join(' '))
          return path !== '/statistics' && method !== 'DELETE' }
        export async function onStoredInstance(instance, host) { host.log('read ' + (await host.get('/statistics')).CountInstances) }`,
  })
  const ask = (method: string, path: string) =>
    fetch(engine.url + path, { method, headers: { 'x-a': 'b', authorization: 'Bearer secret' } })
  for (const path of ['//statistics', '/statistics/', '/stat%69stics']) {
    expect((await ask('GET', path)).status).toBe(403)
  }
  // An address instead of a path, which `fetch` would not send.
  const socket = connect(engine.httpPort, '127.0.0.1')
  socket.end('GET http://localhost/patients HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  expect((await text(socket)).split('\r\n', 1)[0]).toBe('HTTP/1.1 400 Bad Request')
  const refused = await ask('GET', '/statistics')
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ Details: 'The filter "a.js" refuses this request' })
  expect((await ask('GET', '/patients?since=0&limit=1')).status).toBe(200)
  expect(engine.lines.map(({ msg }) => msg)).toContain('GET /patients {"since":"0","limit":"1"}  b 127.0.0.1')
  expect((await ask('DELETE', '/patients/x')).status).toBe(403)
  expect((await ask('DELETE', '/deliveries/dead')).status).toBe(403)
  for (const [method, path] of [
    ['GET', '/scripts'],
    ['GET', '//system'],
    ['GET', '/backlog'],
    ['POST', '/scripts/a.js/pause'],
    ['POST', '/scripts/a.js/resume'],
  ] as const)
    expect((await ask(method, path)).status).toBe(200)
  await statusOf(engine, 'P')
  await until('the run', () => engine.lines.some(({ msg }) => msg === 'read 1'))
})

test('a script that rejects when it fails does so, too, when it is refused what it needs', async () => {
  const text = (onFailure: string) => `export const script = {
      needs: { http: ['https://example.org'] }, ask: { onFailure: '${onFailure}' } }
    export const receivedInstanceFilter = () => true`
  await using engine = await startTestEngine({ scripts: { 'a.js': text('reject') } })
  expect(await engine.read('/scripts')).toMatchObject([{ state: 'refused' }])
  expect((await engine.post(dicomFile({ patient: 'P', instance: '1' }))).status).toBe(503)
  expect(engine.lines.filter(({ msg }) => msg === 'A question was not answered')).toHaveLength(1)
  writeFileSync(join(engine.scripts, 'a.js'), text('accept'))
  await until('it to be saved', async () => (await statusOf(engine, 'P')) === 'Success')
})

test.each([
  ['receivedInstanceFilter', 'for want of a grant', `needs: { http: ['https://example.org'] },`, ''],
  ['incomingHttpRequestFilter', 'for want of a grant', `needs: { http: ['https://example.org'] },`, ''],
  [
    'receivedInstanceFilter',
    'since its beginning fails',
    '',
    `export function initialize() { throw new Error('no') }`,
  ],
])('%s that was refused %s counts no more once its file is gone', async (callback, _, needs, more) => {
  const text = `export const script = { ${needs} ask: { onFailure: 'reject' } }
    export const ${callback} = () => true
    ${more}`
  await using engine = await startTestEngine({ scripts: { 'a.js': text } })
  const isIn = async () => {
    const { ok } = await fetch(`${engine.url}/statistics`)
    return ok && (await statusOf(engine, 'P')) === 'Success'
  }
  expect(await isIn()).toBe(false)
  const [said] = engine.lines.filter(({ msg }) => msg === 'A question was not answered')
  expect(said).toMatchObject({ reason: 'The script is refused' })
  unlinkSync(join(engine.scripts, 'a.js'))
  await until('what comes to be taken in', isIn)
})

test('what answers questions does not give way to what runs callbacks', async () => {
  await using _ = await started({
    'a.js': filter('return true'),
    'b.js': 'export function onStableStudy() {}',
  })
  const own = getPriority()
  const priorities = childPids('child/entry.ts').map((pid) => getPriority(pid) - own)
  expect(priorities.filter((behind) => behind === 0)).toHaveLength(1)
  expect(priorities.filter((behind) => behind > 0)).toHaveLength(priorities.length - 1)
})
