/** The same instance several times at once is as one after the other. */
import { expect, test } from 'vitest'
import type { FileFacts } from '../support/dicom-files.ts'
import { openTestIntake } from '../support/test-intake.ts'
import { until } from '../support/until.ts'

const first: FileFacts = { patientName: 'First^Name' }
const second: FileFacts = { patientName: 'Second^Name' }
const asNew = ['NewInstance', 'NewSeries', 'NewStudy', 'NewPatient']
const asDeleted = ['DeletedInstance', 'DeletedSeries', 'DeletedStudy', 'DeletedPatient']

const contents: [string, FileFacts, FileFacts, string[]][] = [
  ['Never', first, second, ['AlreadyStored', 'Success']],
  ['IfChanged', first, first, ['AlreadyStored', 'Success']],
  ['IfChanged', first, second, ['Success', 'Success']],
  ['Always', first, first, ['Success', 'Success']],
]
test.each(contents)(
  '%s: two at once are as one after the other, and one file is left',
  async (overwriteInstances, one, other, expected) => {
    await using opened = await openTestIntake({ overwriteInstances })
    const received = await Promise.all([opened.receive(one), opened.receive(other)])
    expect(received.map(({ status }) => status).sort()).toEqual(expected)
    const successes = expected.filter((status) => status === 'Success').length
    expect(await opened.changes()).toEqual(successes === 1 ? asNew : [...asNew, ...asDeleted, ...asNew])
    await until('one file to be left', async () => (await opened.files()).length === 1, 3_000)
    expect(await opened.files()).toEqual(await opened.namedFiles())
  },
)

test('many of many instances are each stored once', async () => {
  await using opened = await openTestIntake()
  const sent = Array.from({ length: 60 }, (_, number) => ({ instance: String(number % 20) }))
  const received = await Promise.all(sent.map((facts) => opened.receive(facts)))
  expect(received.filter(({ status }) => status === 'Success')).toHaveLength(20)
  expect(await opened.files()).toEqual(await opened.namedFiles())
  expect(await opened.files()).toHaveLength(20)
})
