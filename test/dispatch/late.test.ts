/** Revisions of a study on whole engines: what a script is told of what came late, and what it sends of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface Run {
  readonly id: number
  readonly script: string
  readonly outcome: string
  readonly version: string
  readonly reason: { readonly message: string } | null
  readonly logs: readonly { readonly text: string }[]
}

const runsOf = (engine: TestEngine, script: string, count: number) =>
  until(`${count} runs of ${script}`, async () => {
    const runs = await engine.read<Run[]>(`/runs?script=${script}&callback=onStableStudy`)
    return runs.length >= count ? runs.reverse() : undefined
  })
/** An instance, and the study made stable by hand. */
async function settle(engine: TestEngine, instance: string): Promise<void> {
  const { answer } = await engine.post(dicomFile({ study: 'LATE', instance }))
  const response = await fetch(`${engine.url}/studies/${answer.ParentStudy}/settle`, { method: 'POST' })
  expect(await response.json()).toEqual({ Changed: true })
}

const logs = `host.log(study.revision + ' since ' + study.sinceRevision + ': ' + study.added.instanceCount)`
const script = (settings: string, body = logs) =>
  `export const script = { ${settings} }\nexport async function onStableStudy(study, host) { ${body} }`

test('by late, a script is told of all again, of what is new, or of nothing more', async () => {
  await using receiver = await startTestEngine()
  const sends = (late: string) =>
    script(
      `late: '${late}', needs: { send: ['B'] }`,
      `const { sent } = await host.send(study, 'B'); host.log('sent ' + sent)`,
    )
  await using engine = await startTestEngine({
    settings: {
      modalities: { B: { aet: 'B', host: '127.0.0.1', port: receiver.dicomPort } },
      grants: { 'delta.js': { send: ['B'] }, 'rerun.js': { send: ['B'] } },
    },
    scripts: {
      'delta.js': sends('delta'),
      'rerun.js': sends('rerun'),
      'ignore.js': script(`late: 'ignore'`),
    },
  })
  await until('the scripts', async () => (await engine.read<unknown[]>('/scripts')).length === 3)
  for (const instance of ['1', '2', '3']) {
    await settle(engine, instance)
    for (const name of ['delta.js', 'rerun.js', 'ignore.js']) await runsOf(engine, name, Number(instance))
  }
  const textsOf = async (name: string) =>
    (await runsOf(engine, name, 3)).map((run) => run.logs[0]?.text ?? run.reason?.message)
  expect(await textsOf('rerun.js')).toEqual(['sent 1', 'sent 2', 'sent 3'])
  expect(await textsOf('delta.js')).toEqual(['sent 1', 'sent 1', 'sent 1'])
  expect(await textsOf('ignore.js')).toEqual([
    '1 since 0: 1',
    'Revision 2 came after revision 1, and the script ignores what is late',
    'Revision 3 came after revision 1, and the script ignores what is late',
  ])
  expect(await receiver.read('/statistics')).toMatchObject({ CountInstances: 3 })
})

test('a delta of nothing is skipped', async () => {
  await using engine = await startTestEngine({ scripts: { 'a.js': script(`late: 'delta'`) } })
  await settle(engine, '1')
  await runsOf(engine, 'a.js', 1)
  const [study] = await engine.read<string[]>('/studies')
  for (const what of ['unsettle', 'settle'])
    await fetch(`${engine.url}/studies/${study}/${what}`, { method: 'POST' })
  const [, second] = await runsOf(engine, 'a.js', 2)
  expect(second).toMatchObject({
    outcome: 'skipped',
    reason: { message: 'Nothing was added or removed since revision 1' },
  })
})

test('no revision is begun before the one before it has ended, though runs take longer than the stable age', async () => {
  const slow = script(
    'concurrency: 4',
    `
    host.log('begin ' + study.revision)
    await new Promise((resolve) => setTimeout(resolve, study.revision === 1 ? 1200 : 10))
    if (study.revision === 1 && study.attempt === 1) throw new Error('once more')
    host.log('end ' + study.revision)`,
  )
  await using engine = await startTestEngine({
    settings: { stableAge: 0.2 },
    scripts: { 'slow.js': slow.replace('{ concurrency', `{ retry: { delay: '500ms' }, concurrency`) },
  })
  await until('the script', async () => (await engine.read<unknown[]>('/scripts')).length === 1)
  for (const instance of ['1', '2', '3']) {
    await engine.post(dicomFile({ study: 'SLOW', instance }))
    const [study] = await engine.read<string[]>('/studies')
    await until(
      'it to be stable',
      async () => (await engine.read<{ IsStable: boolean }>(`/studies/${study}`)).IsStable,
    )
  }
  const runs = await runsOf(engine, 'slow.js', 4)
  expect(runs.map((run) => run.logs.map(({ text }) => text).join(', '))).toEqual([
    'begin 1',
    'begin 1, end 1',
    'begin 2, end 2',
    'begin 3, end 3',
  ])
})

test('a replay is run by the version of then, if that is wanted', async () => {
  const text = (word: string) => script('', `host.log('${word}')`)
  await using engine = await startTestEngine({ scripts: { 'a.js': text('old') } })
  await until('the script', async () => (await engine.read<unknown[]>('/scripts')).length === 1)
  await settle(engine, '1')
  const [old] = await runsOf(engine, 'a.js', 1)
  writeFileSync(join(engine.scripts, 'a.js'), text('new'))
  await until('the new version', async () => {
    const [status] = await engine.read<{ version: string }[]>('/scripts')
    return status!.version !== old!.version
  })
  for (const [count, version] of ['original', 'current'].entries()) {
    await fetch(`${engine.url}/runs/${old!.id}/replay?version=${version}`, { method: 'POST' })
    await runsOf(engine, 'a.js', count + 2)
  }
  const runs = await runsOf(engine, 'a.js', 3)
  expect(runs.slice(0, 3).map((run) => [run.logs[0]?.text, run.version === old!.version])).toEqual([
    ['old', true],
    ['old', true],
    ['new', false],
  ])
})
