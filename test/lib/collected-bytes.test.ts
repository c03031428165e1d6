/** Collecting bytes: what comes out, what it takes in memory, and that the memory is given back. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CollectedBytes, smallestBlockBytes } from '../../src/lib/collected-bytes.ts'

const largestBlockBytes = 1024 * 1024

/** Bytes of which no two stretches are alike. */
function made(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  for (let at = 0; at < count; at++) bytes[at] = (at * 7 + (at >> 8) * 13 + (at >> 16)) & 0xff
  return bytes
}

const plans = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 70_000 }), fc.constant(3_000_000)),
  { maxLength: 12 },
)

test('whatever the pieces, what comes out is what came in, though each piece is overwritten at once', () => {
  fc.assert(
    fc.property(plans, fc.boolean(), (sizes, isEndKnown) => {
      const whole = made(sizes.reduce((sum, size) => sum + size, 0))
      const collected = new CollectedBytes()
      let at = 0
      for (const size of sizes) {
        const lent = Buffer.from(whole.subarray(at, at + size))
        at += size
        collected.add(lent, isEndKnown ? whole.length - at : undefined)
        lent.fill(0xee)
        expect(collected.bytes).toBe(at)
        expect(collected.blockBytes).toBeGreaterThanOrEqual(at)
        expect(collected.blockBytes).toBeLessThanOrEqual(
          Math.max(smallestBlockBytes, Math.min(2 * at, at + largestBlockBytes)),
        )
      }
      if (isEndKnown) expect(collected.blockBytes).toBe(whole.length)
      expect(Buffer.concat(collected.pieces()).equals(whole)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('a million tiny pieces take a dozen blocks, and as much memory again as their bytes at most', () => {
  const collected = new CollectedBytes()
  const byte = Buffer.from([0x5a])
  for (let pieces = 0; pieces < 1_000_000; pieces++) collected.add(byte)
  expect(collected.pieces().length).toBeLessThan(12)
  expect(collected.blockBytes).toBeLessThan(2_000_000)
})

test('many bytes are in blocks of a megabyte', () => {
  const collected = new CollectedBytes()
  const piece = Buffer.alloc(65_536)
  for (let bytes = 0; bytes < 64 * largestBlockBytes; bytes += piece.length) collected.add(piece)
  expect(collected.pieces().length).toBeLessThan(72)
  expect(collected.blockBytes - collected.bytes).toBeLessThanOrEqual(largestBlockBytes)
})

test('what is let go of is given back at once, also a block that is not full, and what comes then begins anew', () => {
  const collected = new CollectedBytes()
  collected.add(made(40_000))
  collected.add(made(10_000))
  const pieces = collected.pieces()
  expect(pieces.map(({ length }) => length)).toEqual([40_000, 10_000])
  collected.letGo()
  expect(pieces.map(({ length }) => length)).toEqual([0, 0])
  expect([collected.bytes, collected.blockBytes, collected.pieces()]).toEqual([0, 0, []])
  collected.add(Buffer.from('anew'))
  expect(Buffer.concat(collected.pieces()).toString()).toBe('anew')
})

test('what one has collected is never seen by another, however often memory is given back and taken', () => {
  const [one, other] = [new CollectedBytes(), new CollectedBytes()]
  one.add(made(100_000))
  for (let round = 0; round < 50; round++) {
    other.add(Buffer.alloc(100_000, round))
    other.letGo()
  }
  expect(Buffer.concat(one.pieces()).equals(made(100_000))).toBe(true)
})
