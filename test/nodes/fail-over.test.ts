/** The database ends for good, and a synchronous standby takes its place, where PostgreSQL is installed. */
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { openForwarder } from '../support/forward.ts'
import { isPostgresInstalled, startOwnPostgres } from '../support/own-postgres.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface Change {
  Seq: number
  ChangeType: string
  Date: string
}

describe.skipIf(!isPostgresInstalled())('a fail-over (needs PostgreSQL installed)', () => {
  it('loses nothing that was acknowledged, tells nothing twice, and takes nothing unwatched for silence', async () => {
    using folder = temporaryFolder()
    await using primary = await startOwnPostgres()
    await using standby = await primary.startStandby()
    // One address for whichever of them is in service.
    const portOf = ({ url }: { url: string }) => Number(new URL(url).port)
    await using address = await openForwarder('127.0.0.1', portOf(primary))
    const store = `${primary.url.replace(String(portOf(primary)), String(address.port))}?schema=hospital`
    const start = (node: string, scripts: Record<string, string> = {}) =>
      startTestEngine({
        data: folder.path,
        settings: { store, node, stableAge: 2 },
        scripts,
      })
    const text =
      'export const onStableStudy = (study) => console.log(study.tags.StudyID, study.counts.instances)'
    await using one = await start('one', { 'tell.ts': text })
    await using two = await start('two')
    const post = async (engine: TestEngine, study: string, instance: number) =>
      (await engine.post(dicomFile({ study, instance: String(instance) }))).status === 200
    // Stable and told before.
    for (let n = 0; n < 4; n++) await post(n % 2 === 0 ? one : two, 'EARLY', n)
    const runs = () => one.read<{ logs: { text: string }[] }[]>('/runs')
    await until('the first run', async () => (await runs()).length === 1)

    for (let n = 0; n < 20; n++) expect(await post(n % 2 === 0 ? one : two, 'LATE', n)).toBe(true)
    // It will be due while the standby takes over, whose clock may be another.
    expect(await post(one, 'QUIET', 0)).toBe(true)
    await wait(1_300)
    const before = (await one.read<{ Last: number }>('/changes?last&limit=1')).Last
    await primary.crash()
    expect(await post(one, 'LATE', 20)).toBe(false)
    await standby.promote()
    const promotedAt = Date.now()
    address.turnTo(portOf(standby))
    await until('an answer', () => post(two, 'LATE', 20))
    const isTold = async (study: string) =>
      (await runs()).some(({ logs }) => logs.some((line) => line.text.startsWith(study)))
    await until('the quiet one', () => isTold('QUIET'))
    expect(Date.now() - promotedAt).toBeGreaterThan(1_900)

    await until('the last run', () => isTold('LATE'))
    const told = (await runs()).flatMap(({ logs }) => logs.map((line) => line.text))
    expect(told.sort()).toEqual(['EARLY 4', 'LATE 21', 'QUIET 1'])
    const { Changes } = await two.read<{ Changes: Change[] }>('/changes?limit=1000')
    expect(Changes.map(({ Seq }) => Seq)).toEqual(Changes.map((_, index) => index + 1))
    expect(Changes.length).toBeGreaterThan(before)
    expect(Changes.filter(({ ChangeType }) => ChangeType === 'StableStudy')).toHaveLength(3)
    expect(await two.read('/statistics')).toMatchObject({ CountInstances: 26 })
  })
})
