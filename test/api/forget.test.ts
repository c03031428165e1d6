/** Scripts that are there no more, or never were in force, over REST on a whole engine. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ scripts: { 'good.js': 'export function onStoredInstance() {}' } })
})
afterAll(() => engine[Symbol.asyncDispose]())

const ask = async (method: string, path: string): Promise<unknown> =>
  (await fetch(engine.url + path, { method })).json()
const runsOfGone = () => engine.read<unknown[]>('/runs?script=gone.js')

const statesOf = async () =>
  (await engine.read<{ name: string; state: string }[]>('/scripts')).map(({ name, state }) => [name, state])

test('a script whose file is gone is forgotten with what it is owed and its pause, and one whose file is there is not', async () => {
  const file = join(engine.scripts, 'gone.js')
  writeFileSync(file, 'export function onStoredInstance() {}')
  await until('it to be served', async () => (await statesOf()).length === 2)
  await ask('POST', '/scripts/gone.js/pause')
  await engine.post(dicomFile({ study: 'GONE', instance: '1' }))
  expect(await ask('DELETE', '/scripts/gone.js')).toMatchObject({
    HttpStatus: 400,
    Details: 'The file of "gone.js" is there: remove that first',
  })
  rmSync(file)
  await until('it to be parked', async () => (await statesOf()).some(([, state]) => state === 'parked'))
  expect(await ask('DELETE', '/scripts/gone.js')).toEqual({ Changed: true })
  expect((await statesOf()).map(([name]) => name)).toEqual(['good.js'])
  expect(await ask('DELETE', '/scripts/gone.js')).toMatchObject({ HttpStatus: 404 })
  expect(await engine.read('/backlog')).toHaveLength(1)
  writeFileSync(file, 'export function onStoredInstance() {}')
  await until('it to be served anew', async () => (await statesOf()).length === 2)
  expect(await engine.read('/scripts')).toMatchObject([{ name: 'gone.js', paused: false }, {}])
  await engine.post(dicomFile({ study: 'GONE', instance: '2' }))
  await until('it to be told', async () => (await runsOfGone()).length > 0)
  expect(await runsOfGone()).toHaveLength(1)
  rmSync(file)
  await until('it to be parked', async () => (await statesOf()).some(([, state]) => state === 'parked'))
  await ask('DELETE', '/scripts/gone.js')
})

test('a script that was never in force is owed nothing, and cannot be paused', async () => {
  const file = join(engine.scripts, 'wrong.js')
  writeFileSync(file, 'export function onStoredInstance( {}')
  await until('it to be refused', async () => (await statesOf()).some(([, state]) => state === 'refused'))
  expect(await ask('POST', '/scripts/wrong.js/pause')).toMatchObject({
    HttpStatus: 400,
    Details: '"wrong.js" was never in force: it is owed nothing that could wait. Mend it first',
  })
  expect(await ask('DELETE', '/scripts/wrong.js')).toMatchObject({
    HttpStatus: 400,
    Details: '"wrong.js" was never in force: remove its file, and it is gone',
  })
  rmSync(file)
  await until('it to be gone', async () => (await statesOf()).length === 1)
})
