/** Giving memory back by hand. */
import { expect, it } from 'vitest'
import { freeMemory } from '../../src/lib/free-memory.ts'

it('frees what owns its memory, and leaves alone what shares it with others, or is small', () => {
  const own = new Uint8Array(100_000)
  const whole = new Uint8Array(200_000).fill(7)
  const part = whole.subarray(0, 100_000)
  const small = new Uint8Array(100).fill(7)
  freeMemory([own, part, small])
  expect(own.buffer.detached).toBe(true)
  expect([whole.length, part.length, small.length]).toEqual([200_000, 100_000, 100])
  expect(new Set([...whole, ...small])).toEqual(new Set([7]))
})

it('may be called twice', () => {
  const own = new Uint8Array(100_000)
  freeMemory([own, own])
  freeMemory([own])
  expect(own.length).toBe(0)
})
