/** Back pressure: above the limit one sender goes on and the others wait; below it nobody waits. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BackPressure, type Sender } from '../../src/lib/back-pressure.ts'

class TestSender implements Sender {
  isHeldBack = false
  heldBytes = 0

  setHeldBack(isHeldBack: boolean): void {
    this.isHeldBack = isHeldBack
  }
}

function setUp(senders: number, limitBytes = 100) {
  const pressure = new BackPressure(limitBytes)
  const all = Array.from({ length: senders }, () => new TestSender())
  for (const sender of all) pressure.join(sender)
  const waiting = () => all.map(({ isHeldBack }) => isHeldBack)
  return { pressure, all: all as [TestSender, TestSender, TestSender], waiting }
}

test('nobody waits up to the limit', () => {
  const { pressure, all, waiting } = setUp(3)
  pressure.take(all[0], 60)
  pressure.take(all[1], 40)
  expect(waiting()).toEqual([false, false, false])
})

test('above the limit the one that has most goes on, until it has given all back', () => {
  const { pressure, all, waiting } = setUp(3)
  pressure.take(all[0], 50)
  pressure.take(all[1], 60)
  expect(waiting()).toEqual([true, false, true])
  pressure.take(all[1], 100)
  pressure.take(all[2], 70)
  expect(waiting()).toEqual([true, false, true])
  pressure.giveBack(all[1], 150)
  expect(waiting()).toEqual([true, false, true])
  pressure.giveBack(all[1], 10)
  expect(waiting()).toEqual([true, true, false])
  pressure.giveBack(all[2], 70)
  expect(waiting()).toEqual([false, false, false])
})

test('who comes while others wait has to wait, too', () => {
  const { pressure, all } = setUp(1)
  pressure.take(all[0], 101)
  const late = new TestSender()
  pressure.join(late)
  expect([all[0].isHeldBack, late.isHeldBack]).toEqual([false, true])
  pressure.giveBack(all[0], 101)
  expect(late.isHeldBack).toBe(false)
})

test('when the one that goes on leaves, another goes on', () => {
  const { pressure, all, waiting } = setUp(3)
  pressure.take(all[0], 90)
  pressure.take(all[1], 120)
  pressure.take(all[2], 30)
  pressure.giveBack(all[1], 100)
  pressure.leave(all[1])
  expect([waiting()[0], waiting()[2]]).toEqual([false, true])
})

test('what a sender had when it left may be given back later', () => {
  const { pressure, all, waiting } = setUp(2)
  pressure.take(all[0], 150)
  pressure.leave(all[0])
  expect(waiting()[1]).toBe(false)
  pressure.giveBack(all[0], 150)
  pressure.take(all[1], 100)
  expect(waiting()[1]).toBe(false)
})

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('join' as const, 'leave' as const, 'take' as const, 'giveBack' as const),
    sender: fc.nat(4),
    bytes: fc.integer({ min: 1, max: 80 }),
  }),
  { maxLength: 60 },
)

test('whatever senders do: all may send below the limit, exactly one above it', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const pressure = new BackPressure(100)
      const all = Array.from({ length: 5 }, () => new TestSender())
      const joined = new Set<TestSender>()
      for (const { what, sender: number, bytes } of sequence) {
        const sender = all[number]!
        const giveBack = (given: number) => {
          sender.heldBytes -= given
          if (given > 0) pressure.giveBack(sender, given)
        }
        if (what === 'join' && !joined.has(sender)) {
          joined.add(sender)
          sender.isHeldBack = false
          pressure.join(sender)
        } else if (!joined.has(sender)) {
          continue
        } else if (what === 'take') {
          sender.heldBytes += bytes
          pressure.take(sender, bytes)
        } else if (what === 'giveBack') {
          giveBack(Math.min(bytes, sender.heldBytes))
        } else if (what === 'leave') {
          giveBack(sender.heldBytes)
          joined.delete(sender)
          pressure.leave(sender)
        }
        const totalBytes = all.reduce((sum, { heldBytes }) => sum + heldBytes, 0)
        const mayBeSending = [...joined].filter(({ isHeldBack }) => !isHeldBack).length
        expect(mayBeSending).toBe(totalBytes > 100 ? Math.min(1, joined.size) : joined.size)
      }
    }),
  )
})
