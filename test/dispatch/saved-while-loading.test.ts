/** A replay by an older version, and a script that is saved while that version is being loaded for it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { startTestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface Run {
  readonly id: number
  readonly outcome: string
  readonly attempt: number
  readonly logs: readonly { readonly text: string }[]
}

test('is run by the older version all the same, once, and what comes next by the one in force', async () => {
  const told = (version: number) =>
    `export function onStoredInstance(instance, host) { host.log('version ${version}') }`
  const slow = `export const initialize = () => new Promise((resolve) => setTimeout(resolve, 1_000))\n`
  await using engine = await startTestEngine({ scripts: { 'a.js': slow + told(1) } })
  const inForce = () => engine.lines.filter(({ msg }) => msg === 'Script in force').length
  const save = async (version: number) => {
    writeFileSync(join(engine.scripts, 'a.js'), told(version))
    await until(`version ${version}`, async () => inForce() === version)
  }
  const runs = () => engine.read<Run[]>('/runs?script=a.js')
  await until('version 1', async () => inForce() === 1)
  await engine.post(dicomFile({ study: 'A', instance: '1' }))
  await until('its run', async () => (await runs()).length === 1)
  await save(2)
  const [first] = await runs()
  await fetch(`${engine.url}/runs/${first!.id}/replay?version=original`, { method: 'POST' })
  // It is being loaded now.
  await delay(400)
  await save(3)
  await until('the replay', async () => (await runs()).length === 2)
  await engine.post(dicomFile({ study: 'B', instance: '2' }))
  await until('the next', async () => (await runs()).length === 3)
  const ended = (await runs()).map(({ outcome, attempt, logs }) => `${outcome}, ${attempt}, ${logs[0]?.text}`)
  expect(ended).toEqual(['ok, 1, version 3', 'ok, 1, version 1', 'ok, 1, version 1'])
})
