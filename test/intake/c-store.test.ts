/** C-STORE seen from the other end of the wire: what a sender is told, and what is left of what went wrong. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { associated } from '../support/association.ts'
import { uidsOf } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { open, outgoing, proposals } from '../support/outgoing.ts'
import { canMount, smallDisk } from '../support/small-disk.ts'
import { startTestReceiver, type TestReceiver } from '../support/test-receiver.ts'
import { until } from '../support/until.ts'

async function expectStored(receiver: TestReceiver, count: number) {
  expect(await receiver.instances()).toHaveLength(count)
  expect(await receiver.files()).toHaveLength(count)
}

test('a stored instance has an answer of success, and so has one that is stored already', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  expect(await association.store(outgoing({}))).toBe(0)
  expect(await association.store(outgoing({}))).toBe(0)
  await expectStored(receiver, 1)
  await association.release()
})

test('one instance on two associations at once is stored once', async () => {
  await using receiver = await startTestReceiver()
  using one = await open(receiver)
  using other = await open(receiver)
  const instance = outgoing({ pixelBytes: 10_000 })
  expect(await Promise.all([one.store(instance), other.store(instance)])).toEqual([0, 0])
  await expectStored(receiver, 1)
})

test('a sender that breaks off in the middle of a dataset leaves nothing', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const instance = outgoing({ instance: '1', pixelBytes: 10_000 })
  await association.beginStore(instance, instance.dataset.length)
  association.socket.destroy()
  using next = await open(receiver)
  expect(await next.store(outgoing({ instance: '2' }))).toBe(0)
  await expectStored(receiver, 1)
})

test('what is refused has a status that says why, and the association goes on', async () => {
  await using receiver = await startTestReceiver({ maxInstanceMb: 0.02 })
  using association = await open(receiver)
  const other = uidsOf({ instance: 'other' }).instance
  const withoutStudy = outgoing({ elements: { 2097165: null } })
  const refused: [number, Parameters<typeof association.store>[0]][] = [
    [0xa700, outgoing({ pixelBytes: 30_000 })],
    [0xa900, { ...outgoing({}), sopInstanceUid: other }],
    [0xa900, { ...outgoing({}), sopClassUid: '1.2.840.10008.5.1.4.1.1.4' }],
    [0xc000, withoutStudy],
    [0xc000, { ...outgoing({}), dataset: Buffer.from('no dataset') }],
  ]
  for (const [status, instance] of refused) expect(await association.store(instance)).toBe(status)
  await expectStored(receiver, 0)
  expect(await association.store(outgoing({}))).toBe(0)
  const reasons = receiver.lines.filter(({ msg }) => msg === 'Did not store an instance')
  expect(reasons).toHaveLength(refused.length)
  expect(reasons[0]).toMatchObject({ remoteAet: 'TEST', reason: 'It is larger than "maxInstanceMb" allows' })
})

test('a full disk is out of resources, and the same association stores again when there is room; what the journal took before is stored, too (needs to mount a disk)', {
  skip: !canMount,
}, async () => {
  using folder = temporaryFolder()
  const files = join(folder.path, 'files')
  mkdirSync(files)
  using disk = smallDisk({ sizeBytes: 1024 * 1024, at: files })
  await using receiver = await startTestReceiver({ data: folder.path })
  using association = await open(receiver)
  disk.fill()
  const [taken, refused, large] = [
    outgoing({ instance: '1', pixelBytes: 50_000 }),
    outgoing({ instance: '2', pixelBytes: 50_000 }),
    outgoing({ instance: '3', pixelBytes: 100_000 }),
  ]
  expect(await association.store(large)).toBe(0xa700)
  expect(await association.store(taken)).toBe(0)
  await expectStored(receiver, 0)
  expect(await association.store(refused)).toBe(0xa700)
  disk.makeRoom()
  await expect.poll(() => association.store(refused), { timeout: 5_000 }).toBe(0)
  expect(await association.store(large)).toBe(0)
  await expectStored(receiver, 3)
})

test('an instance says who sent it', async () => {
  await using receiver = await startTestReceiver()
  using association = await associated(receiver.dicomPort, {
    proposals,
    callingAet: 'CT1',
    calledAet: 'ARCHIVE',
  })
  await association.store(outgoing({}))
  const file = await receiver.storage.read((await receiver.files())[0]!)
  expect(file.toString('latin1', 128, 132)).toBe('DICM')
  expect(file.includes('CT1 ')).toBe(true)
})

test('senders that have more in memory than allowed all come to their turn, in whatever pieces they send', async () => {
  await using receiver = await startTestReceiver({}, { memoryBytes: 50_000 })
  const instances = Array.from({ length: 6 }, (_, number) =>
    outgoing({ instance: String(number), pixelBytes: 60_000 }),
  )
  await using senders = new AsyncDisposableStack()
  const statuses = instances.map(async (instance) => senders.use(await open(receiver)).store(instance))
  expect(await Promise.all(statuses)).toEqual([0, 0, 0, 0, 0, 0])
  await expectStored(receiver, 6)
})

test('a sender that breaks off gives back its part of the memory', async () => {
  await using receiver = await startTestReceiver({}, { memoryBytes: 50_000 })
  for (let number = 0; number < 3; number++) {
    using broken = await open(receiver)
    const instance = outgoing({ instance: 'broken', pixelBytes: 40_000 })
    await broken.beginStore(instance, 40_000)
    broken.socket.destroy()
  }
  using idle = await open(receiver)
  using busy = await open(receiver)
  for (const instance of ['1', '2', '3']) expect(await busy.store(outgoing({ instance }))).toBe(0)
  expect(await idle.store(outgoing({ instance: '4' }))).toBe(0)
  await expectStored(receiver, 4)
})

test('a sender from which nothing comes for too long is cut off, and nothing is left of what it sent', async () => {
  await using receiver = await startTestReceiver({}, { idleMs: 300 })
  using idle = await open(receiver)
  const instance = outgoing({ instance: '1', pixelBytes: 10_000 })
  await idle.beginStore(instance, 5_000)
  await until('the connection to be cut', () => idle.socket.destroyed || idle.socket.readableEnded)
  expect(receiver.lines).toMatchObject([{ reason: 'nothing came for too long' }])
  await expectStored(receiver, 0)
})

test('garbage on the port ends that connection alone', async () => {
  await using receiver = await startTestReceiver()
  using good = await open(receiver)
  using bad = await open(receiver)
  bad.socket.write(Buffer.alloc(4_000, 0xff))
  await until('the connection to be cut', () => bad.socket.destroyed || bad.socket.readableEnded)
  expect(await good.store(outgoing({}))).toBe(0)
})
