/** Instances of many pieces: stored as sent, and their memory is nobody else's until they are, and free then. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DicomReceiver, type Intake, startDicomReceiver } from '../../src/intake/intake.ts'
import { associated, type OutgoingInstance } from '../support/association.ts'
import {
  inOrder,
  open,
  outgoing,
  piecesOf,
  proposals,
  storedDatasets,
  storeUnits,
} from '../support/outgoing.ts'
import { openTestIntake, type TestIntake } from '../support/test-intake.ts'
import { startTestReceiver } from '../support/test-receiver.ts'
import { until } from '../support/until.ts'

/** No two have a stretch of pixels in common. */
function large(number: number, pixelBytes: number): OutgoingInstance {
  const instance = outgoing({ study: 'large', instance: String(number), pixelBytes })
  const pixels = instance.dataset.subarray(-pixelBytes)
  for (let at = 0; at < pixels.length; at++) pixels[at] = at * 7 + (at >> 8) * 13 + number * 31
  return instance
}

const plans = fc.record({
  pixelBytes: fc.array(fc.integer({ min: 60_000, max: 700_000 }), { minLength: 1, maxLength: 5 }),
  datasetSizes: fc.array(fc.integer({ min: 500, max: 300_000 }), { minLength: 1, maxLength: 4 }),
  segmentSizes: fc.array(fc.integer({ min: 3_000, max: 500_000 }), { minLength: 1, maxLength: 4 }),
})

test('wherever large instances are cut, they are stored as they were sent', async () => {
  await using receiver = await startTestReceiver()
  let count = 0
  const sent: Buffer[] = []
  await fc.assert(
    fc.asyncProperty(plans, async ({ pixelBytes, datasetSizes, segmentSizes }) => {
      using association = await open(receiver)
      const instances = pixelBytes.map((bytes) => large(++count, bytes))
      const stream = Buffer.concat(instances.map((each, at) => storeUnits(each, at + 1, { datasetSizes })))
      for (const piece of piecesOf(stream, segmentSizes)) await association.send(piece)
      for (const _ of instances) expect(await association.nextAnswer()).toMatchObject({ status: 0 })
      sent.push(...instances.map(({ dataset }) => dataset))
    }),
    { numRuns: 25 },
  )
  const stored = await storedDatasets(receiver)
  expect(stored.length).toBe(sent.length)
  expect(stored.every((dataset, at) => dataset.equals(inOrder(sent)[at]!))).toBe(true)
})

test('large instances of several senders at once, none of whom waits for answers, are stored as sent', async () => {
  await using receiver = await startTestReceiver({}, { memoryBytes: 1_000_000 })
  const instances = Array.from({ length: 24 }, (_, number) => large(number, 100_000 + number * 25_000))
  await Promise.all(
    [0, 1, 2].map(async (sender) => {
      using association = await open(receiver)
      const own = instances.filter((_, at) => at % 3 === sender)
      const datasetSizes = [16_378]
      void association.send(Buffer.concat(own.map((each, at) => storeUnits(each, at, { datasetSizes }))))
      for (const _ of own) expect(await association.nextAnswer()).toMatchObject({ status: 0 })
    }),
  )
  const stored = await storedDatasets(receiver)
  const sent = inOrder(instances.map(({ dataset }) => dataset))
  expect(stored.length).toBe(sent.length)
  expect(stored.every((dataset, at) => dataset.equals(sent[at]!))).toBe(true)
})

/** A receiver whose instances are taken in by a function of the test. */
async function startReceiverOf(opened: TestIntake, accept: Intake['accept'], memoryBytes = 1_000_000) {
  return await startDicomReceiver({ ...opened, intake: { accept }, memoryBytes })
}
const openAt = ({ port }: DicomReceiver) => associated(port, { proposals })
/** Without the meta information. */
const datasetOf = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks.slice(1))

test('while an instance is being written nobody else gets its memory, whatever else comes', async () => {
  await using opened = await openTestIntake({ dicomPort: 0 })
  const written: Buffer[] = []
  await using receiver = await startReceiverOf(opened, async (chunks) => {
    await sleep(20 + Math.random() * 40)
    written.push(datasetOf(chunks))
    return null
  })
  const instances = Array.from({ length: 20 }, (_, number) => large(number, 1_000 + number * 20_000))
  using association = await openAt(receiver)
  void association.send(Buffer.concat(instances.map((each, at) => storeUnits(each, at))))
  for (const _ of instances) expect(await association.nextAnswer()).toMatchObject({ status: 0 })
  const sent = inOrder(instances.map(({ dataset }) => dataset))
  expect(inOrder(written).every((dataset, at) => dataset.equals(sent[at]!))).toBe(true)
})

test.each<[string, number]>([
  ['of 525 KB', 525_000],
  ['that fills no block', 100_001],
])('the memory of an instance %s is free as soon as it is taken in', async (_, pixelBytes) => {
  await using opened = await openTestIntake({ dicomPort: 0 })
  let kept: readonly Uint8Array[] = []
  await using receiver = await startReceiverOf(opened, async (chunks) => {
    kept = chunks.slice(1)
    return null
  })
  using association = await openAt(receiver)
  await association.send(storeUnits(large(1, pixelBytes), 1, { datasetSizes: [30_000, 10_001, 999] }))
  expect(await association.nextAnswer()).toMatchObject({ status: 0 })
  expect(kept.length).toBeGreaterThan(0)
  await until('its memory to be free', () => kept.every(({ length }) => length === 0))
})

test('a packet is free as soon as it was read', async () => {
  const packets: Buffer[] = []
  const onSocket = (message: unknown) =>
    (message as { socket: Socket }).socket.on('data', (packet: Buffer) => packets.push(packet))
  await using receiver = await startTestReceiver()
  subscribe('net.server.socket', onSocket)
  using association = await open(receiver)
  unsubscribe('net.server.socket', onSocket)
  for (let number = 1; number <= 3; number++) expect(await association.store(large(number, 600_000))).toBe(0)
  expect(packets.length).toBeGreaterThan(3 * 8)
  // Small ones are not worth it.
  expect(packets.filter(({ length }) => length >= 16 * 1024)).toEqual([])
})

test('the memory of an instance whose sender left stays until it is written, and is free for others then', async () => {
  await using opened = await openTestIntake({ dicomPort: 0 })
  const isWritten = Promise.withResolvers<void>()
  const begun: (readonly Uint8Array[])[] = []
  await using receiver = await startReceiverOf(
    opened,
    async (chunks) => {
      begun.push(chunks)
      if (begun.length === 1) await isWritten.promise
      return null
    },
    1,
  )
  const instance = large(1, 300_000)
  using leaving = await openAt(receiver)
  await leaving.send(storeUnits(instance))
  await until('it to be written', () => begun.length === 1)
  leaving.socket.destroy()
  await sleep(50)
  expect(datasetOf(begun[0]!).equals(instance.dataset)).toBe(true)
  isWritten.resolve()
  using silent = await openAt(receiver)
  using busy = await openAt(receiver)
  expect(await busy.store(large(2, 300_000))).toBe(0)
  expect(await busy.store(large(3, 300_000))).toBe(0)
  expect(silent.socket.destroyed).toBe(false)
})
