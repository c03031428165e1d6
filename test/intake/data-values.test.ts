/** Data values out of units: any cut gives the same ones, and lengths that lie are refused. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DataPiece, DataValueReader } from '../../src/intake/data-values.ts'
import { fragmentValue } from '../support/dimse-messages.ts'
import { piecesOf } from '../support/outgoing.ts'

interface Value {
  readonly contextId: number
  readonly isCommand: boolean
  readonly isLast: boolean
  readonly bytes: Buffer
}

/** Puts the values together again, and overwrites all that came as soon as the reader has had it. */
function setUp() {
  const values: Value[] = []
  let begun: Buffer[] = []
  const reader = new DataValueReader(({ bytes, bytesAfter, ...facts }: DataPiece) => {
    begun.push(Buffer.from(bytes))
    if (bytesAfter > 0) return
    values.push({ ...facts, bytes: Buffer.concat(begun) })
    begun = []
  })
  const read = (bytes: Buffer) => {
    const lent = Buffer.from(bytes)
    reader.read(lent)
    lent.fill(0xee)
  }
  return { reader, values, read }
}

const units = fc.array(
  fc.array(
    fc.record({
      context: fc.integer({ min: 0, max: 127 }),
      isCommand: fc.boolean(),
      isLast: fc.boolean(),
      length: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 2_000 })),
    }),
    { maxLength: 6 },
  ),
  { maxLength: 5 },
)
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5_000 })), {
  minLength: 1,
  maxLength: 5,
})

test('wherever the bytes are cut, the values are the ones that were sent', () => {
  fc.assert(
    fc.property(units, sizes, (planned, pieceSizes) => {
      const { reader, values, read } = setUp()
      const sent: Value[] = []
      for (const unit of planned) {
        const body = Buffer.concat(
          unit.map(({ context, isCommand, isLast, length }) => {
            const bytes = Buffer.from(Uint8Array.from({ length }, (_, at) => at * 3 + sent.length))
            sent.push({ contextId: context * 2 + 1, isCommand, isLast, bytes })
            return fragmentValue(bytes, { context, isCommand, isLast })
          }),
        )
        reader.begin(body.length)
        for (const piece of piecesOf(body, pieceSizes)) read(piece)
      }
      expect(values).toEqual(sent)
    }),
    { numRuns: 150 },
  )
})

test('of a value each piece is given as it comes, with how much is still to come', () => {
  const pieces: [string, number, boolean][] = []
  const reader = new DataValueReader(({ bytes, bytesAfter, isLast }) =>
    pieces.push([bytes.toString(), bytesAfter, isLast]),
  )
  const value = fragmentValue(Buffer.from('abcdefg'), {})
  reader.begin(value.length)
  for (const piece of piecesOf(value, [7, 4, 2])) reader.read(piece)
  expect(pieces).toEqual([
    ['a', 6, true],
    ['bcde', 2, true],
    ['fg', 0, true],
  ])
})

/** A value whose length says what it likes, in a unit with so many bytes. */
function valueWith(length: number, bytes: number): Buffer {
  const value = Buffer.alloc(bytes)
  value.writeUInt32BE(length, 0)
  return value
}

test.each<[string, Buffer]>([
  ['0, which leaves no room for a context', valueWith(0, 6)],
  ['1, which leaves no room for a control byte', valueWith(1, 6)],
  ['one more than the unit has', valueWith(3, 6)],
  ['4 GB', valueWith(0xffffffff, 100)],
  ['2 GB, which is less than nothing in 32 bits', valueWith(0x80000000, 100)],
])('a value with the length %s is refused when its head is here', (_, value) => {
  const { reader, values, read } = setUp()
  reader.begin(value.length)
  read(value.subarray(0, 5))
  expect(() => read(value.subarray(5))).toThrow('it sent a broken data unit')
  expect(values).toEqual([])
})

test.each([1, 2, 3, 4, 5])(
  'a unit with %i bytes, or with so many after its last value, is refused',
  (left) => {
    expect(() => setUp().reader.begin(left)).toThrow('it sent a broken data unit')
    for (const value of [fragmentValue(Buffer.from('abc'), {}), fragmentValue(Buffer.alloc(0), {})]) {
      const { reader, read } = setUp()
      reader.begin(value.length + left)
      expect(() => read(value)).toThrow('it sent a broken data unit')
    }
  },
)

test('a unit without values brings none', () => {
  const { reader, values } = setUp()
  reader.begin(0)
  expect(values).toEqual([])
})
