/** What is sent arrives whole, wherever its bytes are cut: into segments, into units, into fragments. */
import { setImmediate as otherWork } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Association, connectTo, type Peer } from '../support/association.ts'
import { dataUnit } from '../support/dimse-messages.ts'
import {
  associateUnit,
  inOrder,
  open,
  outgoing,
  piecesOf,
  releaseUnit,
  storedDatasets,
  storeFragments,
  storeUnits,
} from '../support/outgoing.ts'
import { startTestReceiver } from '../support/test-receiver.ts'

/** Lets the receiver read each piece before the next is sent. */
async function sendInPieces(peer: Peer, bytes: Buffer, sizes: readonly number[]): Promise<void> {
  for (const piece of piecesOf(bytes, sizes)) {
    await peer.send(piece)
    await otherWork()
  }
}

const instances = (count: number) =>
  Array.from({ length: count }, (_, number) => outgoing({ instance: String(number) }))

async function expectAnswers(association: Association, count: number) {
  for (let messageId = 1; messageId <= count; messageId++) {
    expect(await association.nextAnswer()).toEqual({ messageId, status: 0 })
  }
}

test('an association that comes one byte at a time, from its request to its release, is served as any other', async () => {
  await using receiver = await startTestReceiver()
  using peer = connectTo(receiver.dicomPort)
  await sendInPieces(peer, associateUnit, [1])
  expect(await peer.nextUnit()).toMatchObject({ type: 0x02 })
  await sendInPieces(peer, storeUnits(outgoing()), [1])
  expect(await peer.nextAnswer()).toEqual({ messageId: 1, status: 0 })
  await sendInPieces(peer, releaseUnit, [1])
  expect(await peer.nextUnit()).toMatchObject({ type: 0x06 })
  expect(await storedDatasets(receiver)).toEqual([outgoing().dataset])
})

test('a C-STORE in two segments is stored wherever it is cut', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const sent = instances(400)
  for (const [at, instance] of sent.entries()) {
    await sendInPieces(association, storeUnits(instance, at), [at + 1, Number.POSITIVE_INFINITY])
    expect(await association.nextAnswer()).toEqual({ messageId: at, status: 0 })
  }
  expect(await storedDatasets(receiver)).toEqual(inOrder(sent.map(({ dataset }) => dataset)))
})

test('a segment may end at any place of the unit that begins in it', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const sent = instances(9)
  const bytes = Buffer.concat(sent.map((instance, at) => storeUnits(instance, at + 1)))
  // One byte longer than a C-STORE: each segment has one byte more of the next than the last one had.
  await sendInPieces(association, bytes, [storeUnits(sent[0]!).length + 1])
  await expectAnswers(association, sent.length)
  expect(await storedDatasets(receiver)).toEqual(inOrder(sent.map(({ dataset }) => dataset)))
})

test('one unit may have several fragments, of a command and of its dataset', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const [plain, cut, last] = instances(3)
  await association.send(dataUnit(storeFragments(plain!, 1)))
  await association.send(dataUnit(storeFragments(cut!, 2, { commandSizes: [1, 50], datasetSizes: [3, 400] })))
  await association.send(dataUnit(storeFragments(last!, 3, { datasetSizes: [1] })))
  await expectAnswers(association, 3)
  expect(await storedDatasets(receiver)).toEqual(inOrder([plain!, cut!, last!].map(({ dataset }) => dataset)))
})

test('one unit may have several messages, and a message may end in the unit in which the next begins', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const sent = instances(6)
  const fragments = sent.flatMap((instance, at) =>
    storeFragments(instance, at + 1, { datasetSizes: [300, 200] }),
  )
  const whole = fragments.length / 2
  await association.send(dataUnit(fragments.slice(0, whole)))
  for (let at = whole; at < fragments.length; at += 3) {
    await association.send(dataUnit(fragments.slice(at, at + 3)))
  }
  await expectAnswers(association, 6)
  expect(await storedDatasets(receiver)).toEqual(inOrder(sent.map(({ dataset }) => dataset)))
})
