/** Runs that end while the disk of the database is full, on a whole engine. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { canMount, smallDisk } from '../support/small-disk.ts'
import { startTestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const runMs = 300
// What it logs needs room in the database.
const tell = `export async function onStoredInstance(instance, host) {
  host.log('told ' + instance.tags.InstanceNumber)
  for (let line = 0; line < 8; line++) host.log('x'.repeat(7_000))
  await new Promise((resolve) => setTimeout(resolve, ${runMs}))
}`

test.skipIf(!canMount)(
  'what was told while the disk was full is told once, and in order (needs to mount a disk)',
  { timeout: 60_000 },
  async () => {
    using disk = smallDisk({ sizeBytes: 32 * 1024 * 1024 })
    await using engine = await startTestEngine({ data: disk.path, scripts: { 'tell.js': tell } })
    const told = () =>
      engine.lines.flatMap(({ msg }) => (/^told/.test(String(msg)) ? [String(msg).slice(5)] : []))
    const hand = (name: string) => fetch(`${engine.url}/scripts/tell.js/${name}`, { method: 'POST' })
    await hand('pause')
    const numbers = ['1', '2', '3', '4', '5']
    for (const number of numbers)
      await engine.post(dicomFile({ study: 'FULL', instance: number, place: Number(number) }))
    await hand('resume')
    await until('the first to end', () => told().length === 1)
    disk.fill()
    await until('it to be said', () =>
      engine.lines.some(({ msg }) => String(msg).startsWith('Runs cannot be settled')),
    )
    await wait(runMs * 5)
    // One may have begun before it was known.
    const whileFull = told().length
    expect(whileFull).toBeLessThanOrEqual(3)
    disk.makeRoom()
    await until('all to be told', () => told().length >= numbers.length)
    await until('all to be settled', async () => (await engine.read<unknown[]>('/runs')).length === 5)
    expect(told()).toEqual(numbers)
    expect(await engine.read('/backlog')).toMatchObject([{ waiting: 0, leased: 0, dead: 0 }])
    expect(await engine.read('/runs')).toMatchObject(numbers.map(() => ({ attempt: 1, outcome: 'ok' })))
  },
)
