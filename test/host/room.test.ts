/** What answers of other servers take in memory together. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Room } from '../../src/host/room.ts'

const mega = 1024 * 1024

it('beyond the bound only the oldest reads on, and when it ends the others do', async () => {
  const room = new Room()
  const [first, second, third] = [room.enter(), room.enter(), room.enter()]
  await first.take(30 * mega)
  await second.take(10 * mega)
  const order: string[] = []
  const later = [
    third.take(10 * mega).then(() => order.push('third')),
    second.take(10 * mega).then(() => order.push('second')),
    first.take(10 * mega).then(() => order.push('first')),
  ]
  await turn()
  expect(order).toEqual(['first'])
  first[Symbol.dispose]()
  await Promise.all(later)
  expect(order).toHaveLength(3)
  second[Symbol.dispose]()
  third[Symbol.dispose]()
  const fourth = room.enter()
  await fourth.take(48 * mega)
})
