/** Senders that do not wait for answers: all of it is stored and answered, and what cannot be answered is not hoarded. */
import { expect, test } from 'vitest'
import type { Peer } from '../support/association.ts'
import { dataUnit, echoCommand, fragment } from '../support/dimse-messages.ts'
import {
  abortUnit,
  inOrder,
  open,
  outgoing,
  releaseUnit,
  storedDatasets,
  storeFragments,
  storesBesideSilent,
  storeUnits,
} from '../support/outgoing.ts'
import { startTestReceiver } from '../support/test-receiver.ts'
import { until } from '../support/until.ts'

function stores(count: number) {
  const instances = Array.from({ length: count }, (_, number) =>
    outgoing({ instance: String(number), pixelBytes: 3_000 + number }),
  )
  const units = instances.map((instance, at) => storeUnits(instance, at + 1, { datasetSizes: [1_000] }))
  return { bytes: Buffer.concat(units), datasets: inOrder(instances.map(({ dataset }) => dataset)) }
}

/** The answers of success by their message, in the order of the messages. */
async function answers(peer: Peer, count: number): Promise<number[]> {
  const messages: number[] = []
  for (let at = 0; at < count; at++) {
    const { messageId, status } = await peer.nextAnswer()
    expect(status).toBe(0)
    messages.push(messageId)
  }
  return messages.sort((left, right) => left - right)
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

test('fifty instances sent without reading an answer are all stored, and each is answered once', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const { bytes, datasets } = stores(50)
  await association.send(bytes)
  await until('all to be stored', async () => (await receiver.instances()).length === 50)
  expect(await answers(association, 50)).toEqual(numbers(50))
  await association.release()
  expect(await storedDatasets(receiver)).toEqual(datasets)
})

test('a release is answered after the stores that came before it', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const { bytes, datasets } = stores(3)
  await association.send(Buffer.concat([bytes, releaseUnit]))
  expect(await answers(association, 3)).toEqual(numbers(3))
  expect(await association.nextUnit()).toMatchObject({ type: 0x06 })
  expect(await storedDatasets(receiver)).toEqual(datasets)
})

test.each([
  ['aborts', async ({ send }: Peer) => await send(abortUnit)],
  ['ends the connection', async ({ socket }: Peer) => void socket.end()],
])(
  'a sender that %s while its instances are stored: the whole ones stay, and of the last nothing is held',
  async (_, leave) => {
    await using receiver = await startTestReceiver({}, { memoryBytes: 1 })
    using association = await open(receiver)
    const { bytes, datasets } = stores(3)
    const unfinished = storeFragments(outgoing({ instance: 'last' }), 4, { datasetSizes: [500] }).slice(0, -1)
    await association.send(Buffer.concat([bytes, ...unfinished.map((each) => dataUnit([each]))]))
    await leave(association)
    await until('the whole ones to be stored', async () => (await receiver.instances()).length === 3)
    expect(await storedDatasets(receiver)).toEqual(datasets)
    expect(await storesBesideSilent(receiver)).toEqual([0, 0, 0])
    expect(await receiver.files()).toEqual(await receiver.namedFiles())
    expect(await receiver.files()).toHaveLength(6)
  },
)

const echoes = Buffer.concat(
  Array.from({ length: 1_000 }, (_, at) => fragment(echoCommand(at), { isCommand: true })),
)

test('a sender that never reads its answers is not read on, and cut when it stays so', async () => {
  await using receiver = await startTestReceiver({}, { idleMs: 500 })
  using association = await open(receiver)
  // Far more than the buffers of the system between the two can hold.
  const mostBytes = 96 * 1024 * 1024
  let sentBytes = 0
  const hasEnded = new Promise<void>((resolve) => association.socket.once('close', () => resolve()))
  const sendOn = async () => {
    for (; sentBytes < mostBytes && !association.socket.destroyed; sentBytes += echoes.length) {
      await association.send(echoes)
    }
  }
  await Promise.race([sendOn(), hasEnded])
  expect(sentBytes).toBeLessThan(mostBytes)
  expect(receiver.lines).toMatchObject([{ reason: 'nothing came for too long' }])
})

test('a sender that reads its answers late gets them all', async () => {
  await using receiver = await startTestReceiver()
  using association = await open(receiver)
  const rounds = 100
  const isSent = (async () => {
    for (let round = 0; round < rounds; round++) await association.send(echoes)
  })()
  for (let at = 0; at < rounds * 1_000; at++) {
    expect(await association.nextAnswer()).toEqual({ messageId: at % 1_000, status: 0 })
  }
  await isSent
})
