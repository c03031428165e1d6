/** Messages out of fragments: what is put together, what is refused, and what it takes to hold the pieces. */
import { expect, test } from 'vitest'
import type { ContextAnswer } from '../../src/intake/association-request.ts'
import { MessageReader } from '../../src/intake/message-reader.ts'
import { BackPressure } from '../../src/lib/back-pressure.ts'
import { smallestBlockBytes } from '../../src/lib/collected-bytes.ts'
import { echoCommand } from '../support/dimse-messages.ts'
import { commandOf, outgoing, piecesOf } from '../support/outgoing.ts'

const contexts = [1, 3].map((id) => ({ id, result: 0, transferSyntax: '1.2.840.10008.1.2.1' }))
const [one, other] = contexts as [ContextAnswer, ContextAnswer]
const instance = outgoing()
const largestBytes = 10_000
const byte = Buffer.from([0x5a])
const nothing = Buffer.alloc(0)

function setUp() {
  const held = { bytes: 0, mostBytes: 0 }
  const reader = new MessageReader(largestBytes, (change) => {
    held.bytes += change
    held.mostBytes = Math.max(held.mostBytes, held.bytes)
  })
  const add =
    (isCommand: boolean) =>
    (bytes: Buffer, isLast: boolean, context: ContextAnswer, bytesAfter = 0) =>
      reader.add({ contextId: context.id, isCommand, isLast, bytes, bytesAfter }, context)
  return { reader, held, command: add(true), dataset: add(false) }
}

test('a message in pieces of one byte is the message in one piece', () => {
  const { command, dataset } = setUp()
  const pieces = piecesOf(commandOf(instance, 7), [1])
  for (const [at, piece] of pieces.entries()) {
    expect(command(piece, at === pieces.length - 1, one)).toBeNull()
  }
  for (const piece of piecesOf(instance.dataset, [1])) expect(dataset(piece, false, one)).toBeNull()
  const message = dataset(nothing, true, one)
  expect(message).toMatchObject({ contextId: 1, command: { messageId: 7, hasDataset: true } })
  expect(Buffer.concat(message!.dataset!.chunks).equals(instance.dataset)).toBe(true)
})

test('a message is whole when the last bytes of its last fragment are here', () => {
  const { command, dataset } = setUp()
  const [start, rest] = piecesOf(commandOf(instance, 7), [40, 1_000])
  expect(command(start!, true, one, rest!.length)).toBeNull()
  expect(command(rest!, true, one)).toBeNull()
  const [first, last] = piecesOf(instance.dataset, [100, Number.POSITIVE_INFINITY])
  expect(dataset(first!, true, one, last!.length)).toBeNull()
  const message = dataset(last!, true, one)
  expect(Buffer.concat(message!.dataset!.chunks).equals(instance.dataset)).toBe(true)
})

test('what came may be overwritten as soon as it was taken', () => {
  const { command, dataset } = setUp()
  const lend = (bytes: Buffer, take: (lent: Buffer) => unknown) => {
    const lent = Buffer.from(bytes)
    const taken = take(lent)
    lent.fill(0xee)
    return taken
  }
  for (const piece of piecesOf(commandOf(instance, 7), [50])) lend(piece, (lent) => command(lent, false, one))
  command(nothing, true, one)
  for (const piece of piecesOf(instance.dataset, [700])) lend(piece, (lent) => dataset(lent, false, one))
  const message = dataset(nothing, true, one)
  expect(message!.command).toMatchObject({ messageId: 7, sopInstanceUid: instance.sopInstanceUid })
  expect(Buffer.concat(message!.dataset!.chunks).equals(instance.dataset)).toBe(true)
})

test('a command of more than 64 KB is refused, however small its pieces', () => {
  const { command, held } = setUp()
  let pieces = 0
  const sendOn = () => {
    for (; pieces < 100_000; pieces++) command(byte, false, one)
  }
  expect(sendOn).toThrow('it sent an endless command')
  expect(pieces).toBe(64 * 1024)
  expect(held.mostBytes).toBe(0)
})

test('a command that is going to be longer than 64 KB is refused with its first byte', () => {
  expect(() => setUp().command(byte, true, one, 64 * 1024)).toThrow('it sent an endless command')
})

test('one command after the other is not an endless one', () => {
  const { command } = setUp()
  for (let id = 0; id < 1_000; id++) {
    expect(command(echoCommand(id), true, one)).toMatchObject({ command: { messageId: id } })
  }
})

test('an empty piece is refused unless it is the last, in a command as in a dataset', () => {
  expect(() => setUp().command(nothing, false, one)).toThrow('it sent an empty fragment')
  const { command, dataset } = setUp()
  command(commandOf(instance), false, one)
  command(nothing, true, one)
  dataset(instance.dataset, false, one)
  expect(() => dataset(nothing, false, one)).toThrow('it sent an empty fragment')
  expect(dataset(nothing, true, one)).not.toBeNull()
})

test('a message stays in the context in which it began', () => {
  const [start, rest] = piecesOf(commandOf(instance), [40, 1_000])
  const inCommand = setUp()
  inCommand.command(start!, false, one)
  expect(() => inCommand.command(rest!, true, other)).toThrow('it sent a command in two contexts')
  const inDataset = setUp()
  inDataset.command(commandOf(instance), true, one)
  expect(() => inDataset.dataset(byte, false, other)).toThrow('it sent a dataset without a command')
})

test('a dataset follows its command, and a command no dataset that is not at its end', () => {
  const early = setUp()
  early.command(commandOf(instance), false, one)
  expect(() => early.dataset(byte, false, one)).toThrow('it sent a dataset without a command')
  const late = setUp()
  late.command(commandOf(instance), true, one)
  late.dataset(byte, false, one)
  expect(() => late.command(commandOf(instance), true, one)).toThrow('it sent a command inside a dataset')
})

test('a dataset is counted with the memory that it takes, until it is let go of', () => {
  const { reader, held, command, dataset } = setUp()
  command(commandOf(instance), true, one)
  expect(held.bytes).toBe(0)
  for (let pieces = 1; pieces <= 500; pieces++) {
    dataset(byte, false, one)
    expect(held.bytes).toBe(smallestBlockBytes)
  }
  dataset(byte, true, one)?.dataset?.letGo()
  expect(held.bytes).toBe(0)
  command(commandOf(instance), true, one)
  dataset(byte, false, one)
  reader.letGo()
  expect(held.bytes).toBe(0)
})

test('a dataset in one fragment takes no more than its bytes', () => {
  const { held, command, dataset } = setUp()
  command(commandOf(instance), true, one)
  dataset(byte, true, one, 999)
  expect(held.bytes).toBe(1_000)
  dataset(Buffer.alloc(999), true, one)
  expect(held.bytes).toBe(1_000)
})

test.each([true, false])('what is announced takes no memory before it comes (last: %s)', (isLast) => {
  const { held, command, dataset } = setUp()
  command(commandOf(instance), true, one)
  dataset(byte, isLast, one, 4_000_000)
  expect(held.bytes).toBe(smallestBlockBytes)
})

test('of a dataset without end nothing is held from the largest size on', () => {
  const { held, command, dataset } = setUp()
  command(commandOf(instance), true, one)
  for (let pieces = 0; pieces < 3 * largestBytes; pieces++) {
    dataset(byte, false, one)
    if (pieces >= largestBytes) expect(held.bytes).toBe(0)
  }
  expect(held).toEqual({ bytes: 0, mostBytes: smallestBlockBytes })
  expect(dataset(byte, true, one)?.dataset).toMatchObject({ isTooLarge: true, chunks: [] })
})

test('tiny pieces hold others back as soon as the memory that they take is above the limit', () => {
  const pressure = new BackPressure(smallestBlockBytes)
  const waits = [false, false]
  const [hostile, patient] = [0, 1].map((at) => ({
    setHeldBack(isHeldBack: boolean) {
      waits[at] = isHeldBack
    },
  }))
  for (const sender of [hostile!, patient!]) pressure.join(sender)
  const reader = new MessageReader(2 * smallestBlockBytes, (change) => {
    if (change > 0) pressure.take(hostile!, change)
    else pressure.giveBack(hostile!, -change)
  })
  const add = (isCommand: boolean, isLast: boolean, bytes: Buffer) =>
    reader.add({ contextId: 1, isCommand, isLast, bytes, bytesAfter: 0 }, one)
  add(true, true, commandOf(instance))
  for (let pieces = 1; pieces <= smallestBlockBytes + 10; pieces++) {
    add(false, false, byte)
    expect(waits).toEqual([false, pieces > smallestBlockBytes])
  }
  reader.letGo()
  expect(waits).toEqual([false, false])
})
