/** The line of one isolate: one at work at a time, and none behind one that did not end well. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HandedRun, Line } from '../../src/runtime/child/line.ts'

function open() {
  const begun: number[] = []
  const refused: number[] = []
  const line = new Line({
    begin: ({ message }) => begun.push(message.id),
    refuse: ({ message }) => refused.push(message.id),
  })
  const add = (id: number, after: number | null) =>
    line.add({ message: { type: 'run', id, after } as HandedRun['message'], body: '' })
  return { line, add, begun, refused }
}

test('a run begins when the one that it follows has ended well, also long after that', () => {
  const { line, add, begun } = open()
  add(1, null)
  add(2, 1)
  expect(begun).toEqual([1])
  line.ended(1, true)
  expect(begun).toEqual([1, 2])
  line.ended(2, true)
  add(3, 2)
  expect(begun).toEqual([1, 2, 3])
})

test('a run is refused that follows one which is unknown, failed, refused, or not the last', () => {
  const { line, add, begun, refused } = open()
  add(1, 7)
  add(2, null)
  add(3, 2)
  add(4, 2)
  line.ended(2, false)
  add(5, 2)
  add(6, 3)
  expect([begun, refused]).toEqual([[2], [1, 4, 3, 5, 6]])
  add(7, null)
  line.ended(7, true)
  add(8, 7)
  expect(begun).toEqual([2, 7, 8])
})

test('whatever comes in whatever order, each run is begun or refused once, after its own, and one is at work', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), back: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ kind: fc.constant('end' as const), isWell: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { line, add, begun, refused } = open()
      const ends = new Map<number, boolean>()
      const follows = new Map<number, number | null>()
      let last = 0
      for (const each of steps) {
        const atWork = begun.find((id) => !ends.has(id))
        if (each.kind === 'end') {
          if (atWork === undefined) continue
          ends.set(atWork, each.isWell)
          line.ended(atWork, each.isWell)
        } else {
          // As the engine does it: only a run at which nothing is at work follows none.
          const isIdle = begun.length + refused.length === last && atWork === undefined
          const after = isIdle && each.back === 0 ? null : Math.max(1, last - each.back)
          follows.set(++last, after)
          add(last, after)
        }
        expect(begun.filter((id) => !ends.has(id)).length).toBeLessThanOrEqual(1)
      }
      expect(new Set([...begun, ...refused]).size).toBe(begun.length + refused.length)
      for (const [place, id] of begun.entries()) {
        const after = follows.get(id)!
        if (after === null) continue
        expect(begun[place - 1]).toBe(after)
        expect(ends.get(after)).toBe(true)
      }
    }),
  )
})
