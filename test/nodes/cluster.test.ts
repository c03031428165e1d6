/** Servers that share one database and one folder of files, where a PostgreSQL is found. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { addressOf, dropSchema, freshSchema, hasPostgres } from '../support/postgres.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface Change {
  ChangeType: string
  ID: string
  Seq: number
}
interface Script {
  name: string
  state: string
  version: string
  paused: boolean
}
interface Run {
  script: string
  outcome: string
  resource: { id: string }
  version: string
  logs: { text: string }[]
}

const sayName = (word: string) => `
export async function onStableStudy(event, host) {
  console.log('${word}')
  await host.kv.set('told', ((await host.kv.get('told')) ?? 0) + 1)
}`

describe.skipIf(!hasPostgres)('several servers (needs PostgreSQL on 127.0.0.1:5432)', () => {
  const schema = freshSchema()
  const folder = temporaryFolder()
  let one: TestEngine
  let two: TestEngine
  const start = (node: string, more: Record<string, unknown> = {}, scripts: Record<string, string> = {}) =>
    startTestEngine({
      data: folder.path,
      settings: { store: addressOf(schema), node, stableAge: 1, ...more },
      scripts,
    })

  beforeAll(async () => {
    one = await start('one', {}, { 'tell.ts': sayName('first') })
    two = await start('two')
  })
  afterAll(async () => {
    await two[Symbol.asyncDispose]()
    await one[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
    await dropSchema(schema)
  })

  const changesOf = async (engine: TestEngine) =>
    (await engine.read<{ Changes: Change[] }>('/changes?limit=1000')).Changes
  const scriptOf = async (engine: TestEngine, name: string) =>
    (await engine.read<Script[]>('/scripts')).find((each) => each.name === name)
  const runsOf = async (engine: TestEngine, script: string) =>
    (await engine.read<Run[]>(`/runs?limit=1000`)).filter((run) => run.script === script)
  const ask = async (engine: TestEngine, path: string) =>
    (await (await fetch(engine.url + path, { method: 'POST' })).json()) as { Changed: boolean }

  it('serve a script that only one of them has a file of', async () => {
    await until('the script on the other', async () => (await scriptOf(two, 'tell.ts'))?.state === 'in-force')
    const [here, there] = [await scriptOf(one, 'tell.ts'), await scriptOf(two, 'tell.ts')]
    expect(there!.version).toBe(here!.version)
    expect(existsSync(join(two.scripts, 'tell.ts'))).toBe(false)
  })

  it('make one stable event of a study whose instances come to both, and tell of it once', async () => {
    for (let n = 0; n < 10; n++) {
      const file = dicomFile({ study: '1.5', series: `1.5.${n % 3}`, instance: `1.5.${n % 3}.${n}` })
      const { status, answer } = await (n % 2 === 0 ? one : two).post(file)
      expect([status, answer.Status]).toEqual([200, 'Success'])
    }
    expect(
      (await one.post(dicomFile({ study: '1.5', series: '1.5.1', instance: '1.5.1.1' }))).answer.Status,
    ).toBe('AlreadyStored')
    await until('a stable study', async () =>
      (await changesOf(two)).some(({ ChangeType }) => ChangeType === 'StableStudy'),
    )
    const [here, there] = [await changesOf(one), await changesOf(two)]
    expect(there).toEqual(here)
    expect(here.map(({ Seq }) => Seq)).toEqual(here.map((_, at) => at + 1))
    expect(here.filter(({ ChangeType }) => ChangeType === 'StableStudy')).toHaveLength(1)
    await until('its run', async () => (await runsOf(one, 'tell.ts')).length > 0)
    expect((await runsOf(two, 'tell.ts')).map(({ outcome }) => outcome)).toEqual(['ok'])
    const study = here.find(({ ChangeType }) => ChangeType === 'StableStudy')!.ID
    const shown = (engine: TestEngine) => engine.read<{ IsStable: boolean }>(`/studies/${study}`)
    expect(await shown(two)).toEqual(await shown(one))
    expect((await shown(two)).IsStable).toBe(true)
  })

  it('show a change at once on the one to which the instance was not sent', async () => {
    const { answer } = await two.post(dicomFile({ study: '1.6', series: '1.6.1', instance: '1.6.1.1' }))
    const changes = await changesOf(one)
    expect(changes.some(({ ID }) => ID === answer.ID)).toBe(true)
    const file = await fetch(`${one.url}/instances/${answer.ID}/file`)
    expect(file.status).toBe(200)
  })

  it('all run the version that was saved last, wherever that was', async () => {
    const before = (await scriptOf(one, 'tell.ts'))!.version
    writeFileSync(join(two.scripts, 'tell.ts'), sayName('second'))
    await until('the new version on both', async () => {
      const version = (await scriptOf(one, 'tell.ts'))!.version
      return version !== before && version === (await scriptOf(two, 'tell.ts'))!.version
    })
  })

  it('do not go back to an older version when one starts with an older file', async () => {
    const { version } = (await scriptOf(one, 'tell.ts'))!
    const three = await start('three', {}, { 'tell.ts': sayName('first') })
    try {
      expect((await scriptOf(three, 'tell.ts'))!.version).toBe(version)
      expect((await scriptOf(one, 'tell.ts'))!.version).toBe(version)
      expect(three.lines.some(({ msg }) => msg.startsWith('The file is older'))).toBe(true)
      // Saved, it counts.
      writeFileSync(join(three.scripts, 'tell.ts'), sayName('third'))
      await until(
        'the version of the third',
        async () => (await scriptOf(one, 'tell.ts'))!.version !== version,
      )
    } finally {
      await three[Symbol.asyncDispose]()
    }
  })

  it('pause and go on together', async () => {
    expect(await ask(one, '/scripts/tell.ts/pause')).toEqual({ Changed: true })
    await until('the pause on the other', async () => (await scriptOf(two, 'tell.ts'))!.paused)
    expect(await ask(two, '/scripts/tell.ts/resume')).toEqual({ Changed: true })
    await until('going on on the other', async () => !(await scriptOf(one, 'tell.ts'))!.paused)
  })

  it('say that a script is drained when none of them has a run of it in hand', async () => {
    writeFileSync(
      join(one.scripts, 'slow.ts'),
      'export const onStoredInstance = () => new Promise((resolve) => setTimeout(resolve, 2_000))',
    )
    await until('the script on both', async () => {
      const states = await Promise.all([scriptOf(one, 'slow.ts'), scriptOf(two, 'slow.ts')])
      return states.every((script) => script?.state === 'in-force')
    })
    await two.post(dicomFile({ study: '1.8', series: '1.8.1', instance: '1.8.1.1' }))
    await until('its run', async () => {
      const backlog = await two.read<{ script: string; leased: number }[]>('/backlog')
      return backlog.some(({ script, leased }) => script === 'slow.ts' && leased > 0)
    })
    const drained = await fetch(`${one.url}/scripts/slow.ts/drain?timeout=20`, { method: 'POST' })
    expect(await drained.json()).toEqual({ Changed: true, Drained: true })
    expect((await runsOf(one, 'slow.ts')).map(({ outcome }) => outcome)).toEqual(['ok'])
  })

  it('are seen by each other, and one can be taken out', async () => {
    interface Node {
      name: string
      state: string
      isThisOne: boolean
    }
    const nodes = async () => (await two.read<Node[]>('/nodes')).map(({ name, state }) => `${name}: ${state}`)
    expect(await nodes()).toEqual(['one: serving', 'two: serving'])
    expect(await ask(two, '/nodes/one/drain')).toEqual({ Changed: true })
    await until('one to drain', async () => (await fetch(`${one.url}/ready`)).status === 503)
    const refused = await one.post(dicomFile({ study: '1.7', series: '1.7.1', instance: '1.7.1.1' }))
    expect(refused.status).toBe(503)
    expect(await nodes()).toEqual(['one: draining', 'two: serving'])
    expect(await ask(two, '/nodes/one/resume')).toEqual({ Changed: true })
    await until('one to go on', async () => (await fetch(`${one.url}/ready`)).status === 200)
    expect(await ask(two, '/nodes/one/resume')).toEqual({ Changed: false })
    expect((await fetch(`${two.url}/nodes/nobody/drain`, { method: 'POST' })).status).toBe(404)
  })

  it('park a script for all when its file goes where it was', async () => {
    rmSync(join(two.scripts, 'tell.ts'))
    await until('the script parked', async () => (await scriptOf(one, 'tell.ts'))?.state === 'parked')
    writeFileSync(join(two.scripts, 'tell.ts'), sayName('fourth'))
    await until('the script back', async () => (await scriptOf(one, 'tell.ts'))?.state === 'in-force')
  })

  it('forget a script for all, and serve it again when it comes back', async () => {
    rmSync(join(two.scripts, 'tell.ts'))
    await until('the script parked', async () => (await scriptOf(one, 'tell.ts'))?.state === 'parked')
    const forgetting = await fetch(`${one.url}/scripts/tell.ts`, { method: 'DELETE' })
    expect(await forgetting.json()).toEqual({ Changed: true })
    await until('it gone', async () => (await scriptOf(two, 'tell.ts')) === undefined)
    expect(await scriptOf(one, 'tell.ts')).toBeUndefined()
    writeFileSync(join(two.scripts, 'tell.ts'), sayName('fifth'))
    await until('the script back', async () => (await scriptOf(one, 'tell.ts'))?.state === 'in-force')
  })

  it('do not share a name', { timeout: 60_000 }, async () => {
    await expect(start('two')).rejects.toThrow(/Another server of this database is called "two"/)
  })
})
