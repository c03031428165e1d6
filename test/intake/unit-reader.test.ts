/** Units out of a stream of bytes: any cut gives the same ones, and what cannot be a unit is refused at its head. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UnitReader } from '../../src/intake/unit-reader.ts'
import { piecesOf } from '../support/outgoing.ts'
import { protocolUnit } from '../support/protocol-units.ts'

interface Came {
  readonly type: number
  /** As the head of a unit with data announced it; of others, the length that came. */
  readonly length: number
  readonly pieces: Buffer[]
}

/** All that came is overwritten as soon as the reader has had it, as when memory is used again. */
function setUp() {
  const came: Came[] = []
  const reader = new UnitReader({
    onDataUnit: (length) => came.push({ type: 0x04, length, pieces: [] }),
    onData: (bytes) => came.at(-1)!.pieces.push(Buffer.from(bytes)),
    onUnit: (type, body) => came.push({ type, length: body.length, pieces: [Buffer.from(body)] }),
  })
  const read = (bytes: Buffer) => {
    const lent = Buffer.from(bytes)
    reader.read(lent)
    lent.fill(0xee)
  }
  return { reader, came, read }
}

function head(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt8(type, 0)
  bytes.writeUInt32BE(length, 2)
  return bytes
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 20_000 })), {
  minLength: 1,
  maxLength: 5,
})
const units = fc.array(
  fc.record({
    type: fc.oneof(fc.constant(0x04), fc.integer({ min: 1, max: 7 })),
    length: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 40_000 })),
    fill: fc.integer({ min: 0, max: 255 }),
  }),
  { maxLength: 8 },
)

test('wherever the bytes are cut, the units are the ones that were sent', () => {
  fc.assert(
    fc.property(units, sizes, (planned, pieceSizes) => {
      const sent = planned.map(({ type, length, fill }) => ({
        type,
        length,
        body: Buffer.from(Uint8Array.from({ length }, (_, at) => at * 3 + (at >> 8) + fill)),
      }))
      const { came, read } = setUp()
      const bytes = Buffer.concat(sent.map(({ type, body }) => protocolUnit(type, body)))
      for (const piece of piecesOf(bytes, pieceSizes)) read(piece)
      expect(came.map(({ type, length }) => [type, length])).toEqual(
        sent.map(({ type, length }) => [type, length]),
      )
      expect(came.every(({ pieces }, at) => Buffer.concat(pieces).equals(sent[at]!.body))).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('the bytes of a unit with data are handed on as they come, and those of others when they are whole', () => {
  const { came, read } = setUp()
  read(head(0x04, 100))
  read(Buffer.alloc(60, 1))
  expect(came).toEqual([{ type: 0x04, length: 100, pieces: [Buffer.alloc(60, 1)] }])
  read(Buffer.alloc(40, 1))
  read(head(0x05, 4))
  read(Buffer.alloc(3))
  expect(came).toHaveLength(1)
  read(Buffer.alloc(1))
  expect(came[1]).toEqual({ type: 0x05, length: 4, pieces: [Buffer.alloc(4)] })
})

test.each<[string, number, number, number]>([
  ['with data may have 4 MB', 0x04, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1],
  ['without data may have 512 KB', 0x01, 512 * 1024, 512 * 1024 + 1],
])('a unit %s, and is refused at its head if it has more', (_, type, most, tooMany) => {
  setUp().read(head(type, most))
  const { came, read } = setUp()
  expect(() => read(head(type, tooMany))).toThrow(`it sent a unit of ${tooMany} bytes`)
  expect(came).toEqual([])
})

test.each([0x00, 0x08, 0x47, 0xff])('a unit of the type %i is refused at its head', (type) => {
  const { read } = setUp()
  read(head(type, 4).subarray(0, 5))
  expect(() => read(head(type, 4).subarray(5))).toThrow(`it sent a unit of the unknown type ${type}`)
})

test('the longest unit without data comes whole, also one byte at a time', () => {
  const { came, read } = setUp()
  const body = Buffer.from(Uint8Array.from({ length: 512 * 1024 }, (_, at) => at * 3 + (at >> 8)))
  for (const piece of piecesOf(protocolUnit(0x01, body), [1])) read(piece)
  expect(came.map(({ pieces }) => pieces.length)).toEqual([1])
  expect(came[0]!.pieces[0]!.equals(body)).toBe(true)
})

test('after its end it passes over what comes, also the rest of what it is reading', () => {
  const types: number[] = []
  const reader = new UnitReader({
    onDataUnit: () => types.push(0x04),
    onData: () => {},
    onUnit: (type) => {
      types.push(type)
      if (type === 0x07) reader.end()
    },
  })
  const [abort, release] = [protocolUnit(0x07, Buffer.alloc(4)), protocolUnit(0x05, Buffer.alloc(4))]
  reader.read(Buffer.concat([release, abort, release, protocolUnit(0x04, Buffer.alloc(9))]))
  reader.read(release)
  expect(types).toEqual([0x05, 0x07])
})
