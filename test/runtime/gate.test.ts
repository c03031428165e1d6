/** The gate in front of isolates: how many are at work, and who waits for how long. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Gate, type Seat } from '../../src/runtime/child/gate.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function open(seats: number) {
  const gate = new Gate(seats)
  const taken: number[] = []
  const given = new Map<number, Seat>()
  return {
    taken,
    async enter(isolate: number) {
      const seat = gate.enter()
      given.set(isolate, seat)
      seat.isTaken.then(() => taken.push(isolate))
      await Promise.resolve()
    },
    async leave(isolate: number) {
      gate.leave(given.get(isolate)!)
      await Promise.resolve()
    },
    async pass(ms: number) {
      await vi.advanceTimersByTimeAsync(ms)
    },
  }
}

test('as many isolates go to work as there are seats, the others in their order as seats are left', async () => {
  const gate = open(2)
  for (const isolate of [1, 2, 3, 4]) await gate.enter(isolate)
  expect(gate.taken).toEqual([1, 2])
  await gate.leave(2)
  expect(gate.taken).toEqual([1, 2, 3])
  await gate.leave(1)
  expect(gate.taken).toEqual([1, 2, 3, 4])
})

test('an isolate that is at work for long holds up nobody, and its seat is given once', async () => {
  const gate = open(1)
  await gate.enter(1)
  await gate.enter(2)
  await gate.enter(3)
  await gate.pass(5)
  expect(gate.taken).toEqual([1, 2])
  await gate.leave(1)
  expect(gate.taken).toEqual([1, 2])
  await gate.leave(2)
  expect(gate.taken).toEqual([1, 2, 3])
})

test('who comes behind isolates that never end waits no longer than they may hold their seats', async () => {
  const gate = open(2)
  for (let isolate = 1; isolate <= 9; isolate++) await gate.enter(isolate)
  await gate.pass(4 * 5)
  expect(gate.taken).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('whatever comes and goes, seats are never lost and never more than there are', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('enter', 'leave', 'pass'), fc.nat(30)), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (seats, script) => {
      const gate = open(seats)
      const atWork: number[] = []
      const look = () => atWork.push(...gate.taken.splice(0))
      let isolates = 0
      for (const [step, value] of script) {
        if (step === 'enter') await gate.enter(++isolates)
        else if (step === 'pass') await gate.pass(value / 10)
        else if (atWork.length > 0) await gate.leave(atWork.splice(value % atWork.length, 1)[0]!)
        look()
      }
      while (atWork.length > 0) {
        await gate.leave(atWork.shift()!)
        await Promise.resolve()
        look()
      }
      await gate.pass(100)
      for (let each = 0; each <= seats; each++) await gate.enter(1_000 + each)
      expect(gate.taken).toHaveLength(seats)
    }),
  )
})
