/** Senders of endless tiny fragments: what they may hold, and that others do not suffer from it. */
import { expect, test } from 'vitest'
import type { Association } from '../support/association.ts'
import { dataUnit, fragment, fragmentValue } from '../support/dimse-messages.ts'
import { commandOf, open, outgoing, storesBesideSilent, storeUnits } from '../support/outgoing.ts'
import { startTestReceiver, type TestReceiver } from '../support/test-receiver.ts'

const many = 100_000
const command = fragment(commandOf(outgoing()), { isCommand: true })

/** The same fragment many times, each in a unit of its own. */
function units(value: Buffer, isCommand: boolean, count = many): Buffer {
  const one = fragment(value, { isCommand, isLast: false })
  return Buffer.concat(Array.from({ length: count }, () => one))
}

/** The same fragment many times, all in one unit. */
function oneUnit(value: Buffer, isCommand: boolean): Buffer {
  const one = fragmentValue(value, { isCommand, isLast: false })
  return dataUnit(Array.from({ length: many }, () => one))
}

async function expectCut(receiver: TestReceiver, hostile: Association, bytes: Buffer, reason: string) {
  void hostile.send(bytes)
  await hostile.cut()
  expect(receiver.lines.at(-1)).toMatchObject({ msg: 'Cut a DICOM connection', reason })
  expect(await receiver.files()).toEqual([])
}

const byte = Buffer.from([0x5a])
const nothing = Buffer.alloc(0)
const endless = 'it sent an endless command'
const empty = 'it sent an empty fragment'

test.each<[string, Buffer, string]>([
  ['a command in empty fragments', units(nothing, true), empty],
  ['a command in empty fragments of one unit', oneUnit(nothing, true), empty],
  ['a command in fragments of one byte', units(byte, true), endless],
  ['a command in fragments of one byte in one unit', oneUnit(byte, true), endless],
  ['a dataset in empty fragments', Buffer.concat([command, units(nothing, false)]), empty],
  [
    'an empty fragment in a dataset',
    Buffer.concat([command, units(byte, false, 500), oneUnit(nothing, false)]),
    empty,
  ],
])('%s ends in a cut connection, and others are served', async (_, bytes, reason) => {
  await using receiver = await startTestReceiver({}, { memoryBytes: 1 })
  using hostile = await open(receiver)
  await expectCut(receiver, hostile, bytes, reason)
  expect(await storesBesideSilent(receiver)).toEqual([0, 0, 0])
})

test('a dataset without end in fragments of one byte is let go of at the largest size, and refused at its end', async () => {
  await using receiver = await startTestReceiver({ maxInstanceMb: 0.01 }, { memoryBytes: 1 })
  using hostile = await open(receiver)
  await hostile.send(command)
  await hostile.send(units(byte, false))
  // It is at no end, yet holds nothing and holds up nobody.
  expect(await storesBesideSilent(receiver)).toEqual([0, 0, 0])
  await hostile.send(fragment(byte, {}))
  expect(await hostile.nextAnswer()).toMatchObject({ status: 0xa700 })
  expect(await hostile.store(outgoing())).toBe(0)
  expect(await receiver.files()).toHaveLength(4)
})

test('a sender of tiny fragments who leaves in the middle gives back all that they cost', async () => {
  await using receiver = await startTestReceiver({}, { memoryBytes: 1 })
  using hostile = await open(receiver)
  await hostile.send(Buffer.concat([command, units(byte, false, 5_000)]))
  hostile.socket.end()
  await hostile.cut()
  expect(await storesBesideSilent(receiver)).toEqual([0, 0, 0])
  expect(await receiver.files()).toHaveLength(3)
})

test('an instance in fragments of one byte is stored, and so is what others send meanwhile', async () => {
  await using receiver = await startTestReceiver({}, { memoryBytes: 1 })
  using slow = await open(receiver)
  using quick = await open(receiver)
  const tiny = storeUnits(outgoing({ instance: 'slow' }), 1, { commandSizes: [1], datasetSizes: [1] })
  void slow.send(tiny)
  expect(await quick.store(outgoing({ instance: 'quick' }))).toBe(0)
  expect(await slow.nextAnswer()).toEqual({ messageId: 1, status: 0 })
  expect(await receiver.files()).toHaveLength(2)
})
