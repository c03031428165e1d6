/** Sending to a receiver that does its part: all of a resource arrives, each instance as it is stored. */
import { expect, test } from 'vitest'
import { dicomDataset, dicomFile, type FileFacts, transferSyntaxes, uidsOf } from '../support/dicom-files.ts'
import { startRawReceiver } from '../support/raw-receiver.ts'
import { startTestReceiver } from '../support/test-receiver.ts'
import { openTestSender } from '../support/test-sender.ts'
import { until } from '../support/until.ts'

test('a study arrives whole in another archive, byte for byte, with the AE titles of both sides', async () => {
  await using archive = await startTestReceiver({
    checkCalledAet: true,
    dicomAet: 'STORE',
    callingAets: ['ONSTABLE'],
  })
  await using opened = await openTestSender(archive.dicomPort)
  const sent: FileFacts[] = Array.from({ length: 12 }, (_, number) => ({
    series: number % 2 === 0 ? 'A' : 'B',
    instance: String(number),
    pixelBytes: number * 20_000,
  }))
  for (const facts of sent) await opened.receive(facts)
  const { header } = await opened.receive({ study: 'other' })
  const study = (await opened.store.list('Study', null)).find((id) => id !== header.ids.study)!
  expect(await opened.send({ level: 'Study', id: study })).toEqual({ sent: 12 })
  expect(await archive.instances()).toHaveLength(12)
  const datasets = sent.map((facts) => dicomDataset(facts))
  for (const file of await archive.files()) {
    const bytes = await archive.storage.read(file)
    expect(datasets.some((dataset) => bytes.subarray(-dataset.length).equals(dataset))).toBe(true)
  }
  expect(await archive.store.statistics()).toMatchObject({ studies: 1, series: 2, instances: 12 })
})

test('each instance goes out in its own transfer syntax, all on one association', async () => {
  await using receiver = await startRawReceiver()
  await using opened = await openTestSender(receiver.port)
  const names = Object.keys(transferSyntaxes) as (keyof typeof transferSyntaxes)[]
  for (const transferSyntax of names) await opened.receive({ instance: transferSyntax, transferSyntax })
  const [id] = await opened.store.list('Patient', null)
  expect(await opened.send({ level: 'Patient', id: id! })).toEqual({ sent: names.length })
  for (const transferSyntax of names) {
    const facts = { instance: transferSyntax, transferSyntax }
    const taken = receiver.taken.find(({ sopInstanceUid }) => sopInstanceUid === uidsOf(facts).instance)
    expect(taken?.transferSyntax).toBe(transferSyntaxes[transferSyntax])
    const dataset = dicomDataset(facts)
    const padding = Buffer.alloc(dataset.length % 2)
    expect(taken?.dataset.equals(Buffer.concat([dataset, padding]))).toBe(true)
  }
  expect(receiver.taken.map(({ association }) => association)).toEqual(names.map(() => 0))
})

test('a series, a single instance and a resource of several levels are just their instances', async () => {
  await using receiver = await startRawReceiver()
  await using opened = await openTestSender(receiver.port)
  const { header } = await opened.receive({ series: 'A', instance: '1' })
  await opened.receive({ series: 'A', instance: '2' })
  await opened.receive({ series: 'B', instance: '3' })
  expect(await opened.send({ level: 'Series', id: header.ids.series })).toEqual({ sent: 2 })
  expect(await opened.send({ level: 'Instance', id: header.ids.instance })).toEqual({ sent: 1 })
  expect(await opened.send({ level: 'Patient', id: header.ids.patient })).toEqual({ sent: 3 })
  const last = receiver.taken.slice(2, 3)
  expect(last.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([
    uidsOf({ series: 'A', instance: '1' }).instance,
  ])
})

test('more kinds of instances than an association can propose go on as few associations as needed', async () => {
  await using receiver = await startRawReceiver()
  await using opened = await openTestSender(receiver.port)
  for (let number = 0; number < 130; number++) {
    const uid = `1.2.840.10008.5.1.4.1.1.${number + 1}`
    const file = dicomFile({
      instance: String(number),
      pixelBytes: 0,
      elements: { 524310: { vr: 'UI', value: uid } },
    })
    await opened.receive(file)
  }
  const [id] = await opened.store.list('Study', null)
  expect(await opened.send({ level: 'Study', id: id! })).toEqual({ sent: 130 })
  expect(new Set(receiver.taken.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(130)
  expect(receiver.proposals).toHaveLength(2)
  expect(receiver.proposals.every((proposals) => proposals.length <= 128)).toBe(true)
})

test('an instance that is taken with a warning is taken', async () => {
  await using receiver = await startRawReceiver({ answer: (number) => [0xb000, 0xb006, 0xb007][number] ?? 0 })
  await using opened = await openTestSender(receiver.port)
  for (const instance of ['1', '2', '3', '4']) await opened.receive({ instance })
  const [id] = await opened.store.list('Study', null)
  expect(await opened.send({ level: 'Study', id: id! })).toEqual({ sent: 4 })
})

test.each(['silence', 'abort', 'end'] as const)(
  'when all are taken, a receiver that answers the release with %s does no harm',
  async (release) => {
    await using receiver = await startRawReceiver({ release })
    await using opened = await openTestSender(receiver.port, { limits: { releaseMs: 100 } })
    const { header } = await opened.receive({})
    expect(await opened.send({ level: 'Study', id: header.ids.study })).toEqual({ sent: 1 })
    await until('the connection to be closed', () => receiver.openConnections() === 0)
  },
)

test('several sends at once do not get in each other’s way', async () => {
  await using receiver = await startRawReceiver()
  await using opened = await openTestSender(receiver.port)
  for (let number = 0; number < 12; number++)
    await opened.receive({ study: `S${number % 4}`, instance: String(number) })
  const studies = await opened.store.list('Study', null)
  const results = await Promise.all(studies.map((id) => opened.send({ level: 'Study', id })))
  expect(results).toEqual([3, 3, 3, 3].map((sent) => ({ sent })))
  expect(new Set(receiver.taken.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(12)
  await until('the connections to be closed', () => receiver.openConnections() === 0)
})
