/** The commands that look at runs and deliveries and do something about them, as processes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onstable, startCommand } from '../support/command-line.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

let engine: TestEngine
beforeAll(async () => {
  const text = `export const script = { retry: { attempts: 1 } }
    export async function onStoredInstance(instance, host) {
      host.log('told')
      await host.kv.set('a', 1)
      if (instance.patientTags.PatientID === 'BAD') throw new Error('no such patient')
    }`
  engine = await startTestEngine({ scripts: { 'a.js': text } })
  for (const patient of ['GOOD', 'BAD'])
    await engine.post(dicomFile({ patient, study: patient, instance: '1' }))
  await until('both runs', async () => (await engine.read<unknown[]>('/runs')).length === 2)
})
afterAll(() => engine[Symbol.asyncDispose]())

const run = async (...parameters: string[]) => {
  const { code, output, errors } = await onstable([...parameters, '--url', engine.url])
  return { code, lines: output.split('\n').slice(0, -1), errors }
}

test('runs are listed by what is asked for, and shown with calls and logs', async () => {
  const all = await run('runs', 'list')
  expect(all.lines).toHaveLength(2)
  const { lines } = await run('runs', 'list', '--patient', 'BAD', '--outcome', 'threw')
  expect(lines).toEqual([
    expect.stringMatching(/threw +a\.js onStoredInstance +try 1 of 1 .*instance \S+: no such patient$/),
  ])
  const shown = (await run('runs', 'show', /^ +(\d+)/.exec(lines[0]!)![1]!)).lines.join('\n')
  expect(shown).toMatch(/^Run \d+ of a\.js, onStoredInstance: threw$/m)
  expect(shown).toMatch(/^ {2}why +no such patient \(a\.js:5\)$/m)
  expect(shown).toMatch(/^ {2}call +host\.kv\.set: [\d.]+ ms from [\d.]+ ms on, /m)
  expect(shown).toMatch(/^ {2}info +told$/m)
  expect((await run('runs', 'list', '--accession', 'none')).lines).toEqual(['No runs match'])
  expect((await run('runs', 'list', '--script', 'a')).lines).toEqual([
    'No runs match, and there is no script "a": did you mean "a.js"?',
  ])
  expect(await run('runs', 'list', '--since', 'yesterday')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('"since"'),
  })
})

test('runs are replayed by number or by what they match, by the version that ran or the one in force', async () => {
  const preview = await run('runs', 'replay', '--script', 'a.js', '--outcome', 'ok', '--preview')
  expect(preview).toMatchObject({ code: 0, lines: ['1 would be replayed'] })
  const original = await run('runs', 'replay', '--script', 'a.js', '--outcome', 'ok', '--version', 'original')
  expect(original).toMatchObject({ code: 0, lines: ['1 to be replayed'] })
  await until('it', async () => (await engine.read<unknown[]>('/runs?outcome=ok')).length === 2)
  for (const slip of [[], ['1', '--outcome', 'ok'], ['x'], ['1', '--version', 'foo']]) {
    expect(await run('runs', 'replay', ...slip)).toMatchObject({ code: 1, lines: [] })
  }
  expect((await run('runs', 'show', '')).errors).toContain('"" is no number')
})

test('dead deliveries are listed, shown, retried and dropped', async () => {
  const listed = await run('deliveries', 'list', '--state', 'dead')
  expect(listed.lines).toEqual([
    expect.stringMatching(
      /dead since \S+ +a\.js onStoredInstance +NewInstance of instance \S+, 1 try: no such patient \(It is tried once\)$/,
    ),
  ])
  const id = /^ +(\d+)/.exec(listed.lines[0]!)![1]!
  expect((await run('deliveries', 'show', id)).lines).toHaveLength(3)
  expect(await run('deliveries', 'retry', id)).toMatchObject({ code: 0, lines: ['1 to be tried again'] })
  await until('the second run', async () => (await engine.read<unknown[]>('/runs')).length === 4)
  await until(
    'it to be dead',
    async () => (await engine.read<unknown[]>('/deliveries?state=dead')).length === 1,
  )
  expect(await run('deliveries', 'list', '--limit', '1')).toMatchObject({
    code: 0,
    errors: `onstable: there may be more: "--after ${id}" goes on\n`,
  })
  expect((await run('deliveries', 'list', '--after', id)).lines).toEqual(['Nothing is owed'])
  // Nothing is done of a slip; of several, what can be done is, once.
  expect(await run('deliveries', 'drop', id, 'abc')).toMatchObject({ code: 1, lines: [] })
  expect(await run('deliveries', 'drop', '99999', id, id)).toMatchObject({
    code: 1,
    lines: ['1 dropped'],
    errors: 'onstable: There is no delivery 99999\n',
  })
  expect(await run('deliveries', 'drop', '--all-dead', '--json')).toMatchObject({ lines: ['{"dropped":0}'] })
  expect((await run('deliveries', 'list')).lines).toEqual(['Nothing is owed'])
  expect(await run('deliveries', 'drop')).toMatchObject({ code: 1 })
})

test('runs are printed as they end, and Ctrl-C is a clean end', async () => {
  await using tail = startCommand(['runs', 'tail', '--json', '--outcome', 'ok', '--url', engine.url])
  let number = 1
  await until('a run', async () => {
    await engine.post(dicomFile({ study: 'TAIL', instance: String(++number) }))
    return tail.lines().length > 0
  })
  expect(JSON.parse(tail.lines()[0]!)).toMatchObject({ script: 'a.js', outcome: 'ok' })
  tail.signal('SIGINT')
  expect(await tail.ended).toBe(0)
})

test('what was not looked at yet for a paused script is owed, too', async () => {
  await until(
    'what came before to be told',
    async () => (await run('deliveries', 'list')).lines[0] === 'Nothing is owed',
  )
  await run('scripts', 'pause', 'a.js')
  await engine.post(dicomFile({ study: 'BEHIND', instance: '1' }))
  expect((await run('deliveries', 'list')).lines).toEqual([
    'a.js: the last 3 changes were not looked at for it yet',
  ])
  await run('scripts', 'resume', 'a.js')
  await until('its run', async () => (await run('deliveries', 'list')).lines[0] === 'Nothing is owed')
})

test('scripts are paused, drained, resumed and replayed', async () => {
  expect((await run('scripts', 'pause', 'a.js')).lines).toEqual(['a.js is paused'])
  expect((await run('scripts', 'list')).lines[0]).toMatch(/^a\.js +paused /)
  expect((await run('scripts', 'drain', '--all')).lines).toEqual([
    'All scripts are paused',
    'No run is in hand',
  ])
  expect((await run('scripts', 'resume', 'a.js')).lines).toEqual([
    'a.js is served again',
    'All scripts are paused: it waits for "onstable scripts resume --all"',
  ])
  expect((await run('scripts', 'resume', '--all')).code).toBe(0)
  const preview = await run('scripts', 'replay', 'a.js', '--since', '2020-01-01', '--preview')
  expect(preview.lines).toEqual([
    expect.stringMatching(/^\d+ would be told once more: after change 0, up to \d+$/),
  ])
  expect((await run('scripts', 'replay', 'a.js')).code).toBe(1)
  expect((await run('scripts', 'pause')).code).toBe(1)
})
