/** The line of one isolate: one at work at a time, and none behind one that did not end well. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HandedRun, Line, type RunEnd } from '../../src/runtime/child/line.ts'
import type { Ahead } from '../../src/runtime/child/task.ts'

const well = { isWell: true, isBrief: false, isGone: false }
const brief = { ...well, isBrief: true }
const failed = { ...well, isWell: false }

function open() {
  const begun: number[] = []
  const ahead: number[] = []
  const recalled: number[] = []
  const given = new Map<number, Ahead>()
  const kept = new Map<number, unknown[]>()
  const refused: number[] = []
  const line = new Line({
    begin({ message: { id } }, own) {
      begun.push(id)
      if (own === null) return
      given.set(id, own)
      const posts = own.posts.map(({ values }) => values[0])
      kept.set(id, posts)
    },
    async enterAhead({ message }) {
      ahead.push(message.id)
    },
    recall: (upTo) => recalled.push(upTo),
    refuse: ({ message }) => refused.push(message.id),
  })
  const add = (id: number, after: number | null, body = '') =>
    line.add({ message: { type: 'run', id, after } as HandedRun['message'], body })
  return { line, add, begun, ahead, kept, refused, recalled, given }
}

/** With 2 at work and, since they are large, of 3 and 4 behind it only 3 given to the isolate. */
function openWithOneGiven() {
  const opened = open()
  const { line, add } = opened
  const large = 'x'.repeat(600_000)
  add(1, null)
  line.ended(1, brief)
  add(2, 1)
  add(3, 2, large)
  add(4, 3, large)
  return opened
}

test('a run begins when the one that it follows has ended well, also long after that', () => {
  const { line, add, begun } = open()
  add(1, null)
  add(2, 1)
  expect(begun).toEqual([1])
  line.ended(1, well)
  expect(begun).toEqual([1, 2])
  line.ended(2, well)
  add(3, 2)
  expect(begun).toEqual([1, 2, 3])
})

test('a run is refused that follows one which is unknown, failed, refused, or not the last', () => {
  const { line, add, begun, refused } = open()
  add(1, 7)
  add(2, null)
  add(3, 2)
  add(4, 2)
  line.ended(2, failed)
  add(5, 2)
  add(6, 3)
  expect([begun, refused]).toEqual([[2], [1, 4, 3, 5, 6]])
  add(7, null)
  line.ended(7, well)
  add(8, 7)
  expect(begun).toEqual([2, 7, 8])
})

test('while runs are brief, those that wait are given to the isolate at once, in their order', () => {
  const { line, add, begun, ahead, kept } = open()
  for (const id of [1, 2, 3]) add(id, id === 1 ? null : id - 1)
  expect(ahead).toEqual([])
  line.ended(1, brief)
  expect([begun, ahead]).toEqual([[1, 2], [3]])
  add(4, 3)
  expect(ahead).toEqual([3, 4])
  line.keep(3, 'log', ['of 3'])
  line.keep(4, 'log', ['of 4'])
  line.keep(9, 'log', ['of nobody'])
  line.ended(2, brief)
  line.keep(4, 'done', ['also of 4'])
  line.ended(3, well)
  add(5, 4)
  expect(begun).toEqual([1, 2, 3, 4])
  expect([...kept]).toEqual([
    [3, ['of 3']],
    [4, ['of 4', 'also of 4']],
  ])
  expect(ahead).toEqual([3, 4])
})

test('after a recall none begins that waits, but for what the isolate may have begun, and new ones do', () => {
  const { line, add, begun, ahead, refused, recalled } = openWithOneGiven()
  add(5, 4)
  expect(ahead).toEqual([3])
  line.recall()
  add(6, 5)
  expect([recalled, refused]).toEqual([[5], [4, 5, 6]])
  line.ended(2, brief)
  line.ended(3, brief)
  add(7, null)
  expect(begun).toEqual([1, 2, 3, 7])
  line.recall()
  expect(recalled).toEqual([5])
})

test('a recall reaches the run at its turn, too, which the isolate may not have come to', () => {
  const { line, add, given } = open()
  for (const id of [1, 2, 3]) add(id, id === 1 ? null : id - 1)
  line.ended(1, brief)
  add(4, 3)
  line.ended(2, brief)
  line.recall()
  expect(given.get(3)?.isRecalled).toBe(true)
})

test('behind one that ended well without the isolate only those go on that had been given to it', () => {
  const { line, add, begun, refused } = openWithOneGiven()
  line.ended(2, { ...brief, isGone: true })
  expect([begun, refused]).toEqual([[1, 2, 3], []])
  line.ended(3, { ...brief, isGone: true })
  add(5, 3)
  expect([begun, refused]).toEqual([
    [1, 2, 3],
    [4, 5],
  ])
})

test('of large events only some are given ahead at a time, and none past one that is not', () => {
  const { line, add, ahead } = open()
  const large = 'x'.repeat(600_000)
  add(1, null)
  line.ended(1, brief)
  add(2, 1, large)
  add(3, 2, large)
  add(4, 3, large)
  add(5, 4, 'small')
  expect(ahead).toEqual([3])
  line.ended(2, brief)
  expect(ahead).toEqual([3, 4, 5])
})

test('whatever comes in whatever order, each run is begun or refused once, after its own, and one is at work', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), back: fc.integer({ min: 0, max: 3 }) }),
    fc.record({
      kind: fc.constant('end' as const),
      ...{ isWell: fc.boolean(), isBrief: fc.boolean(), isGone: fc.boolean() },
    }),
    fc.record({ kind: fc.constant('recall' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { line, add, begun, ahead, refused } = open()
      const ends = new Map<number, RunEnd>()
      const follows = new Map<number, number | null>()
      let last = 0
      for (const each of steps) {
        const atWork = begun.find((id) => !ends.has(id))
        if (each.kind === 'recall') line.recall()
        else if (each.kind === 'end') {
          if (atWork === undefined) continue
          ends.set(atWork, each)
          line.ended(atWork, each)
        } else {
          // As the engine does it: only a run at which nothing is at work follows none.
          const isIdle = begun.length + refused.length === last && atWork === undefined
          const after = isIdle && each.back === 0 ? null : Math.max(1, last - each.back)
          follows.set(++last, after)
          add(last, after)
        }
        expect(begun.filter((id) => !ends.has(id)).length).toBeLessThanOrEqual(1)
      }
      expect(new Set(ahead).size).toBe(ahead.length)
      expect(new Set([...begun, ...refused]).size).toBe(begun.length + refused.length)
      for (const [place, id] of begun.entries()) {
        const after = follows.get(id)!
        if (after === null) continue
        expect(begun[place - 1]).toBe(after)
        const { isWell, isGone } = ends.get(after)!
        expect(isWell && (!isGone || ahead.includes(id))).toBe(true)
      }
    }),
  )
})
