import { expect, test } from 'vitest'
import { Breaker } from '../../src/dispatch/breaker.ts'

test('after five failures in a row one is asked once a second, until it answers', () => {
  const breaker = new Breaker()
  for (let n = 1; n < 5; n++) expect([breaker.mayAsk(n), breaker.failed()]).toEqual([true, false])
  expect([breaker.mayAsk(5), breaker.failed()]).toEqual([true, true])
  expect([breaker.mayAsk(6), breaker.mayAsk(1_004), breaker.mayAsk(1_005)]).toEqual([false, false, true])
  expect(breaker.failed()).toBe(false)
  expect(breaker.mayAsk(1_006)).toBe(false)
  breaker.answered()
  expect(breaker.mayAsk(1_007)).toBe(true)
})

test('an answer in between is no failure in a row', () => {
  const breaker = new Breaker()
  for (let n = 0; n < 20; n++) {
    if (n % 4 === 3) breaker.answered()
    else expect(breaker.failed()).toBe(false)
  }
})
