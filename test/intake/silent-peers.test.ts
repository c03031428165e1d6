/** Senders that fall silent or leave, wherever they are: they are cut off, and nothing is left of what they began. */
import { expect, test } from 'vitest'
import { connectTo, type Peer } from '../support/association.ts'
import {
  associateUnit,
  open,
  outgoing,
  releaseUnit,
  storesBesideSilent,
  storeUnits,
} from '../support/outgoing.ts'
import { startTestReceiver, type TestReceiver } from '../support/test-receiver.ts'
import { until } from '../support/until.ts'

const store = storeUnits(outgoing({ pixelBytes: 20_000 }), 1, { datasetSizes: [1_000] })
const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)

/** What came before the silence. */
const beginnings: [string, Buffer][] = [
  ['before it says a word', Buffer.alloc(0)],
  ['after one byte', associateUnit.subarray(0, 1)],
  ['after the head of its request', associateUnit.subarray(0, 6)],
  ['in the middle of its request', half(associateUnit)],
  ['after its request', associateUnit],
  ['in the middle of a command', Buffer.concat([associateUnit, store.subarray(0, 60)])],
  ['in the middle of a dataset', Buffer.concat([associateUnit, half(store)])],
  ['before the last byte of a dataset', Buffer.concat([associateUnit, store.subarray(0, -1)])],
  ['in the middle of its release', Buffer.concat([associateUnit, half(releaseUnit)])],
]

async function expectNothingLeft(receiver: TestReceiver) {
  expect(await receiver.files()).toEqual([])
  expect(await receiver.instances()).toEqual([])
  expect(await receiver.changes()).toEqual([])
}

async function begin(peer: Peer, beginning: Buffer) {
  if (beginning.length > 0) await peer.send(beginning)
}

test.each(beginnings)('a sender that falls silent %s is cut off', async (_, beginning) => {
  await using receiver = await startTestReceiver({}, { idleMs: 200 })
  using peer = connectTo(receiver.dicomPort)
  await begin(peer, beginning)
  await peer.cut()
  expect(receiver.lines).toMatchObject([
    { msg: 'Cut a DICOM connection', remoteIp: '127.0.0.1', reason: 'nothing came for too long' },
  ])
  await expectNothingLeft(receiver)
})

test.each(beginnings)(
  'a sender that leaves %s leaves nothing, and others are served',
  async (_, beginning) => {
    await using receiver = await startTestReceiver({}, { memoryBytes: 1 })
    using peer = connectTo(receiver.dicomPort)
    await begin(peer, beginning)
    peer.socket.end()
    await peer.cut()
    await expectNothingLeft(receiver)
    expect(await storesBesideSilent(receiver)).toEqual([0, 0, 0])
  },
)

test('silent senders take no association from those that ask for one, and their places are free when they are cut', async () => {
  await using receiver = await startTestReceiver({ maxAssociations: 1 }, { idleMs: 1_000 })
  await using silent = new AsyncDisposableStack()
  const peers = Array.from({ length: 20 }, () => connectTo(receiver.dicomPort))
  for (const peer of peers) silent.defer(() => peer[Symbol.dispose]())
  for (const peer of peers.slice(10)) await peer.send(half(associateUnit))
  using first = await open(receiver)
  expect(await first.store(outgoing())).toBe(0)
  await first.release()
  await Promise.all(peers.map((peer) => peer.cut()))
  using next = await open(receiver)
  expect(await next.store(outgoing({ instance: '2' }))).toBe(0)
})

test('a sender that is cut off in the middle of a dataset lets those go on that waited for its memory', async () => {
  await using receiver = await startTestReceiver({}, { idleMs: 500, memoryBytes: 1 })
  using silent = connectTo(receiver.dicomPort)
  await silent.send(Buffer.concat([associateUnit, half(store)]))
  expect(await silent.nextUnit()).toMatchObject({ type: 0x02 })
  using patient = connectTo(receiver.dicomPort)
  await patient.send(Buffer.concat([associateUnit, storeUnits(outgoing())]))
  expect(await patient.nextUnit()).toMatchObject({ type: 0x02 })
  expect(await patient.nextAnswer()).toEqual({ messageId: 1, status: 0 })
  await until('the silent one to be cut', () => receiver.lines.length === 1)
  expect(receiver.lines).toMatchObject([{ reason: 'nothing came for too long' }])
  expect(await receiver.files()).toHaveLength(1)
})
