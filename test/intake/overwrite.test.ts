/** What happens to an instance that is there already, by the setting `overwriteInstances`, as in Orthanc. */
import { expect, test } from 'vitest'
import { readHeader } from '../../src/dicom/dicom.ts'
import { restOrigin } from '../support/arrivals.ts'
import { dicomFile, type FileFacts } from '../support/dicom-files.ts'
import { openTestIntake, type TestIntake } from '../support/test-intake.ts'
import { until } from '../support/until.ts'

const first: FileFacts = { patientName: 'First^Name' }
const second: FileFacts = { patientName: 'Second^Name' }
const asNew = ['NewInstance', 'NewSeries', 'NewStudy', 'NewPatient']
const asDeleted = ['DeletedInstance', 'DeletedSeries', 'DeletedStudy', 'DeletedPatient']

/** All that a duplicate must leave as it is. */
async function stateOf(opened: TestIntake) {
  const { store } = opened
  const windows = (await store.windows(10)).map(({ level, openedAtMs, lastAtMs }) => ({
    level,
    openedAtMs,
    lastAtMs,
  }))
  const updated = await Promise.all(
    (await store.list('Study', null)).map(
      async (id) => (await store.find('Study', id)) as { updatedAtMs: number },
    ),
  )
  return {
    windows,
    updated: updated.map(({ updatedAtMs }) => updatedAtMs),
    changes: await opened.changes(),
    files: await opened.files(),
  }
}

/** Time enough that what happens now has another time than what happened before. */
async function untilLater() {
  const now = Date.now()
  await until('the clock to go on', () => Date.now() > now + 2)
}

async function expectOnly(opened: TestIntake, content: Buffer) {
  const files = await opened.files()
  expect(files).toEqual(await opened.namedFiles())
  expect(files).toHaveLength(1)
  expect((await opened.storage.read(files[0]!)).equals(content)).toBe(true)
  expect(await opened.store.statistics()).toMatchObject({ instances: 1, totalBytes: content.length })
}

const untouched: [string, FileFacts][] = [
  ['Never', first],
  ['Never', second],
  ['IfChanged', first],
]
test.each(untouched)(
  '%s: a duplicate changes nothing, and restarts no wait',
  async (overwriteInstances, facts) => {
    await using opened = await openTestIntake({ overwriteInstances })
    await opened.receive(first)
    const before = await stateOf(opened)
    await untilLater()
    expect((await opened.receive(facts)).status).toBe('AlreadyStored')
    expect(await stateOf(opened)).toEqual(before)
    await expectOnly(opened, dicomFile(first))
  },
)

const replaced: [string, FileFacts][] = [
  ['Always', first],
  ['Always', second],
  ['IfChanged', second],
  ['IfChanged', { ...first, pixelBytes: 600 }],
  ['IfChanged', { ...first, pixelBytes: 500 }],
  ['IfChanged', { ...first, pixelBytes: 0 }],
]
test.each(replaced)(
  '%s: an only child that is replaced is a new one, with new parents',
  async (overwriteInstances, facts) => {
    await using opened = await openTestIntake({ overwriteInstances })
    await opened.receive(first)
    const before = await stateOf(opened)
    await untilLater()
    expect((await opened.receive(facts)).status).toBe('Success')
    expect(await opened.changes()).toEqual([...asNew, ...asDeleted, ...asNew])
    const { windows } = await stateOf(opened)
    expect(windows).toHaveLength(3)
    expect(windows.every(({ openedAtMs }) => openedAtMs > before.windows[0]!.openedAtMs)).toBe(true)
    await until('the old file to be gone', async () => (await opened.files()).length === 1)
    await expectOnly(opened, dicomFile(facts))
  },
)

test('replacing one of several marks its parents unstable again, and they stay the same', async () => {
  await using opened = await openTestIntake({ overwriteInstances: 'Always' })
  const { header } = await opened.receive({ ...first, instance: '1' })
  await opened.receive({ ...first, instance: '2' })
  await opened.store.forceStable('Patient', header.ids.patient)
  expect(await opened.store.windows(10)).toEqual([])
  const before = (await opened.changes()).length
  await opened.receive({ ...second, instance: '1' })
  expect((await opened.changes()).slice(before)).toEqual(['DeletedInstance', 'NewInstance'])
  expect(await opened.store.windows(10)).toHaveLength(3)
  expect(await opened.store.find('Study', header.ids.study)).toMatchObject({ isStable: false, revision: 1 })
})

test('IfChanged compares bytes, in whatever chunks they come', async () => {
  await using opened = await openTestIntake({ overwriteInstances: 'IfChanged' })
  const bytes = dicomFile({ pixelBytes: 20_000 })
  await opened.receive(bytes)
  for (const size of [1_000, 7_919, 19_999]) {
    const chunks = [bytes.subarray(0, size), bytes.subarray(size, size), bytes.subarray(size)]
    const { status } = await opened.intake.receive(chunks, readHeader(bytes), restOrigin)
    expect(status).toBe('AlreadyStored')
  }
})

test('IfChanged: an instance whose file is gone is taken in again', async () => {
  await using opened = await openTestIntake({ overwriteInstances: 'IfChanged' })
  await opened.receive(first)
  await opened.storage.unlink((await opened.files())[0]!)
  expect((await opened.receive(first)).status).toBe('Success')
  await expectOnly(opened, dicomFile(first))
})
