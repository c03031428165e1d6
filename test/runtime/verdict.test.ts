/** What a callback throws to say how its delivery goes on. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { linesOf, loadProgram } from '../support/program.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

async function resultOf(body: string, before = '') {
  const run = await loadProgram(
    runtime,
    `${before}\nexport async function onChange(event, host) {\n${body}\n}`,
  )
  return run()
}

test.each([
  [`'10m'`, 600_000],
  [`'1.5 s'`, 1_500],
  [`'30d'`, 2_592_000_000],
  ['250', 250],
  ['0', 0],
])('host.retryAfter(%s) is a wish for that many milliseconds', async (wait, ms) => {
  const { outcome, wish, error } = await resultOf(`throw host.retryAfter(${wait}, 'asleep')`)
  expect(outcome).toBe('threw')
  expect(wish).toEqual({ retryAfterMs: ms })
  expect(error).toMatchObject({ name: 'RetryAfter', message: 'asleep', file: 'script.ts', line: 3 })
})

test('a wish that is returned instead of thrown counts all the same', async () => {
  expect(await resultOf(`return host.giveUp('No such patient')`)).toMatchObject({
    outcome: 'threw',
    wish: 'give-up',
    error: { message: 'No such patient' },
  })
})

test('host.giveUp is a wish never to be told again, with the reason of the script', async () => {
  const { outcome, wish, error } = await resultOf(`throw host.giveUp('No such patient')`)
  expect(outcome).toBe('threw')
  expect(wish).toBe('give-up')
  expect(error).toMatchObject({ name: 'GivenUp', message: 'No such patient', line: 3 })
})

test.each([
  ['undefined', 'TypeError', 'expects a duration'],
  [`'soon'`, 'TypeError', 'expects a duration'],
  [`'10 weeks'`, 'TypeError', 'expects a duration'],
  ['{}', 'TypeError', 'expects a duration'],
  [`'31d'`, 'RangeError', 'from 0 ms to 30 days'],
  ['-1', 'RangeError', 'from 0 ms to 30 days'],
  ['NaN', 'RangeError', 'from 0 ms to 30 days'],
])('host.retryAfter(%s) is an error that says what was expected', async (wait, name, message) => {
  const { wish, error } = await resultOf(`throw host.retryAfter(${wait})`)
  expect(wish).toBeNull()
  expect(error).toMatchObject({ name, message: expect.stringContaining(message), line: 3 })
})

test('what is made and not thrown, or thrown and caught, is no wish', async () => {
  const result = await resultOf(`host.giveUp()
    try { throw host.retryAfter('1s') } catch ({ name }) { console.log(name) }`)
  expect(result.outcome).toBe('ok')
  expect(result.wish).toBeNull()
  expect(linesOf(result)).toEqual(['RetryAfter'])
})

test('an error that only looks like one is no wish', async () => {
  for (const forged of [
    `Object.assign(new Error('x'), { name: 'RetryAfter', retryAfterMs: 5, givesUp: true })`,
    `Object.create(host.giveUp())`,
    `{ message: 'x', givesUp: true }`,
  ]) {
    const { outcome, wish } = await resultOf(`throw ${forged}`)
    expect(outcome).toBe('threw')
    expect(wish).toBeNull()
  }
})

test('what a script does to the globals of its isolate changes nothing of it', async () => {
  const { wish } = await resultOf(
    `throw host.retryAfter('2s')`,
    `WeakMap.prototype.get = WeakMap.prototype.set = RegExp.prototype.exec = () => { throw 1 }
     Object.prototype.givesUp = true; Object.prototype.retryAfterMs = 7`,
  )
  expect(wish).toEqual({ retryAfterMs: 2_000 })
})

test('a run that ends for another reason says nothing of its delivery', async () => {
  const { outcome, wish } = await resultOf('undefined.x')
  expect(outcome).toBe('threw')
  expect(wish).toBeNull()
})
