/** That the event loop goes round no longer than it should. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { stayAwake } from '../../src/runtime/stay-awake.ts'

test('it is over when nobody wants it any more', async () => {
  let asked = 0
  stayAwake(() => ++asked < 3)
  await delay(20)
  expect(asked).toBeLessThanOrEqual(3)
})

test('it is over after a moment, however long it is wanted, and timers come meanwhile', async () => {
  let asked = 0
  stayAwake(() => ++asked > 0)
  await delay(20)
  const before = asked
  await delay(20)
  expect(asked).toBe(before)
})
