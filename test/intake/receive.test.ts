/** The road of one instance: what its sender is told, what is on disk, and what the index says. */
import { expect, test } from 'vitest'
import { readHeader } from '../../src/dicom/dicom.ts'
import { restOrigin } from '../support/arrivals.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { openTestIntake } from '../support/test-intake.ts'
import { until } from '../support/until.ts'

test('a new instance is on disk byte for byte, and its parents are told of', async () => {
  await using opened = await openTestIntake()
  const bytes = dicomFile({ pixelBytes: 100_000 })
  const { status, header } = await opened.receive(bytes)
  expect([status, header.ids]).toEqual(['Success', readHeader(bytes).ids])
  const [file] = await opened.files()
  expect((await opened.storage.read(file!)).equals(bytes)).toBe(true)
  expect(await opened.changes()).toEqual(['NewInstance', 'NewSeries', 'NewStudy', 'NewPatient'])
  expect(await opened.store.windows(10)).toHaveLength(3)
  expect(await opened.namedFiles()).toEqual([file])
})

test('an instance that comes in several chunks is the same as in one', async () => {
  await using opened = await openTestIntake()
  const bytes = dicomFile({ pixelBytes: 10_000 })
  const chunks = [bytes.subarray(0, 1), bytes.subarray(1, 200), Buffer.alloc(0), bytes.subarray(200)]
  await opened.intake.receive(chunks, readHeader(chunks), restOrigin)
  expect((await opened.storage.read((await opened.files())[0]!)).equals(bytes)).toBe(true)
})

test('an instance that is larger than allowed is refused, and nothing is left of it', async () => {
  await using opened = await openTestIntake({ maxInstanceMb: 0.01 })
  await expect(opened.receive({ pixelBytes: 11_000 })).rejects.toMatchObject({
    code: 'too-large',
    message: expect.stringMatching(/^The instance has \d+ bytes; "maxInstanceMb" allows 0.01 MB$/),
  })
  expect([await opened.files(), await opened.changes()]).toEqual([[], []])
  expect((await opened.receive({})).status).toBe('Success')
})

test('each arrival is announced with its ages, and a duplicate is not', async () => {
  const announced: unknown[] = []
  await using opened = await openTestIntake(
    { stableAge: 5, stability: [{ level: 'series', stableAge: 7 }] },
    { onRecorded: (ages) => announced.push(ages) },
  )
  await opened.receive({})
  await opened.receive({})
  const [quiet, longer] = [
    { ageMs: 5_000, maxWaitMs: null },
    { ageMs: 7_000, maxWaitMs: null },
  ]
  expect(announced).toEqual([{ Patient: quiet, Study: quiet, Series: longer }])
})

test('an instance whose rows cannot be written leaves no file, and can be sent again', async () => {
  let ageMs = Number.NaN
  await using opened = await openTestIntake(
    {},
    {
      agesOf: () => {
        const age = { ageMs, maxWaitMs: null }
        return { Patient: age, Study: age, Series: age }
      },
    },
  )
  await expect(opened.receive({})).rejects.toThrow(/The database refused an operation/)
  expect([await opened.files(), await opened.changes()]).toEqual([[], []])
  ageMs = 1_000
  expect((await opened.receive({})).status).toBe('Success')
})

test('when nobody can say whether the rows were written, the file stays', async () => {
  await using opened = await openTestIntake({ overwriteInstances: 'Always' })
  await opened.receive({ instance: '1' })
  const { store } = opened
  const bytes = dicomFile({ instance: '2', pixelBytes: 2_200_000 })
  const held = store.holds.bind(store)
  // The database goes away between the question and the record.
  Object.assign(store, {
    holds: async (ids: readonly string[]) => {
      const files = await held(ids)
      await store.close()
      return files
    },
  })
  await expect(opened.receive(bytes)).rejects.toThrow(/stopping/)
  expect(await opened.files()).toHaveLength(2)
  expect(opened.lines).toMatchObject([{ msg: expect.stringContaining('is not known yet; asking again') }])
})

test('a file goes, or stays, once the store can say whether it has a row', async () => {
  await using opened = await openTestIntake()
  const { store } = opened
  const { accept, orphans } = store
  let isAway = true
  let isCommitted = false
  Object.assign(store, {
    accept: async (arrival: Parameters<typeof accept>[0]) => {
      if (isCommitted) await accept(arrival, 'known')
      throw new Error('No answer')
    },
    orphans: async (files: readonly string[]) => {
      if (isAway) throw new Error('No answer')
      return orphans(files)
    },
  })
  const large = (instance: string) => dicomFile({ instance, pixelBytes: 2_200_000 })
  await expect(opened.receive(large('1'))).rejects.toThrow('No answer')
  isCommitted = true
  await expect(opened.receive(large('2'))).rejects.toThrow('No answer')
  expect(await opened.files()).toHaveLength(2)
  isAway = false
  await until('the first to go', async () => (await opened.files()).length === 1)
  expect(await opened.files()).toEqual(await opened.namedFiles())
})
