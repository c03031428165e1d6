/** What the protocol does not allow ends the connection, with a reason in the log, and nothing else. */
import { expect, test } from 'vitest'
import { connectTo, requestUnit } from '../support/association.ts'
import { dataUnit, type FragmentOptions, fragment, fragmentValue } from '../support/dimse-messages.ts'
import {
  abortUnit,
  associateUnit,
  commandOf,
  outgoing,
  piecesOf,
  proposals,
  releaseUnit,
  storesBesideSilent,
  storeUnits,
} from '../support/outgoing.ts'
import { protocolUnit } from '../support/protocol-units.ts'
import { startTestReceiver } from '../support/test-receiver.ts'

const instance = outgoing()
const store = storeUnits(instance)
const command = fragment(commandOf(instance), { isCommand: true })
const piece = Buffer.alloc(100, 0x5a)
const [commandStart, commandEnd] = piecesOf(commandOf(instance), [40, 1_000]) as [Buffer, Buffer]
const begun = Buffer.concat([associateUnit, command, fragment(piece, { isLast: false })])

/** The head of a unit that promises so many bytes. */
function head(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt8(type, 0)
  bytes.writeUInt32BE(length, 2)
  return bytes
}

/** Fragments of one unit. */
const together = (...fragments: [Buffer, FragmentOptions][]) =>
  dataUnit(fragments.map(([bytes, options]) => fragmentValue(bytes, options)))

test.each<[string, readonly Buffer[], string]>([
  ['a unit of 4 GB', [associateUnit, head(0x04, 0xffffffff)], 'it sent a unit of 4294967295 bytes'],
  ['a request of 4 GB', [head(0x01, 0xfffffffe)], 'it sent a unit of 4294967294 bytes'],
  [
    'a unit of a type that does not exist',
    [associateUnit, head(0x08, 4)],
    'it sent a unit of the unknown type 8',
  ],
  [
    'an answer that only we give',
    [protocolUnit(0x02, piece)],
    'it sent a unit that only an acceptor sends, of type 2',
  ],
  [
    'a request without titles',
    [protocolUnit(0x01, piece.subarray(0, 67))],
    'it sent a broken association request',
  ],
  ['a second request', [associateUnit, associateUnit], 'it asked for a second association'],
  [
    'a second request in the middle of a dataset',
    [begun, associateUnit],
    'it asked for a second association',
  ],
  [
    'a request after a release',
    [associateUnit, releaseUnit, associateUnit],
    'it asked for a second association',
  ],
  ['a store before the request', [store], 'it sent data outside an association'],
  ['a store after the release', [associateUnit, releaseUnit, store], 'it sent data outside an association'],
  [
    'a context that nobody proposed',
    [associateUnit, fragment(piece, { context: 9 })],
    'it used a context that was not accepted',
  ],
  [
    'a dataset in another context than its command',
    [associateUnit, command, fragment(piece, { context: 1 })],
    'it sent a dataset without a command',
  ],
  [
    'two datasets in turns',
    [begun, fragment(commandOf(instance), { isCommand: true, context: 1 })],
    'it sent a command inside a dataset',
  ],
  [
    'two commands in turns',
    [
      associateUnit,
      fragment(commandStart, { isCommand: true, isLast: false }),
      fragment(commandStart, { isCommand: true, isLast: false, context: 1 }),
    ],
    'it sent a command in two contexts',
  ],
  [
    'two contexts in one unit',
    [
      associateUnit,
      together(
        [commandStart, { isCommand: true, isLast: false }],
        [commandEnd, { isCommand: true, context: 1 }],
        [instance.dataset, { context: 1 }],
      ),
    ],
    'it sent a command in two contexts',
  ],
  [
    'a fragment longer than its unit',
    [associateUnit, protocolUnit(0x04, Buffer.from([0, 0, 0, 9, 1, 3, 0]))],
    'it sent a broken data unit',
  ],
  [
    'a fragment without a context',
    [associateUnit, protocolUnit(0x04, Buffer.from([0, 0, 0, 1, 1]))],
    'it sent a broken data unit',
  ],
  [
    'a fragment that has no room for its context',
    [begun, protocolUnit(0x04, Buffer.from([0, 0, 0, 0, 3, 0]))],
    'it sent a broken data unit',
  ],
  [
    'a fragment that has no room for its control byte',
    [begun, protocolUnit(0x04, Buffer.from([0, 0, 0, 1, 3, 0]))],
    'it sent a broken data unit',
  ],
  [
    'a fragment of 4 GB',
    [begun, protocolUnit(0x04, Buffer.from([255, 255, 255, 255, 3, 0, 0]))],
    'it sent a broken data unit',
  ],
  [
    'a unit that goes on after its last fragment',
    [begun, dataUnit([fragmentValue(piece, { isLast: false }), Buffer.alloc(5)])],
    'it sent a broken data unit',
  ],
  [
    'a context that nobody proposed, in the middle of a dataset',
    [begun, fragment(piece, { context: 9, isLast: false })],
    'it used a context that was not accepted',
  ],
  [
    'a command of more than 64 KB',
    [associateUnit, fragment(Buffer.alloc(64 * 1024 + 1), { isCommand: true })],
    'it sent an endless command',
  ],
  ['a request of more than 512 KB', [head(0x01, 512 * 1024 + 1)], 'it sent a unit of 524289 bytes'],
  ['a release of more than 512 KB', [begun, head(0x05, 1_000_000)], 'it sent a unit of 1000000 bytes'],
  [
    'a command longer than it is',
    [associateUnit, fragment(commandStart, { isCommand: true })],
    'it sent a broken command',
  ],
  [
    'an empty command',
    [associateUnit, fragment(Buffer.alloc(0), { isCommand: true })],
    'it sent a command that does not say which',
  ],
  ['an abort in the middle of a dataset', [begun, abortUnit], 'the sender aborted it'],
])('%s ends the connection: nothing is kept, and others are served', async (_, units, reason) => {
  await using receiver = await startTestReceiver({}, { memoryBytes: 1 })
  using peer = connectTo(receiver.dicomPort)
  await peer.send(Buffer.concat(units))
  await peer.cut()
  expect(receiver.lines).toMatchObject([{ msg: 'Cut a DICOM connection', remoteIp: '127.0.0.1', reason }])
  expect(await receiver.files()).toEqual([])
  expect(await receiver.instances()).toEqual([])
  expect(await storesBesideSilent(receiver)).toEqual([0, 0, 0])
})

test('a refused sender does not get in by asking again on the same connection', async () => {
  await using receiver = await startTestReceiver({ callingAets: ['CT1'] })
  using peer = connectTo(receiver.dicomPort)
  await peer.send(associateUnit)
  expect(await peer.nextUnit()).toMatchObject({ type: 0x03 })
  await peer.send(requestUnit({ proposals, callingAet: 'CT1' }))
  await peer.cut()
  expect(receiver.lines.at(-1)).toMatchObject({ reason: 'it asked for a second association' })
})
