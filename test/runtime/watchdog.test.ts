/** What a task is ended by when it does not end by itself. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Sandbox } from '../../src/runtime/child/sandbox.ts'
import { disposeOf, Watchdog } from '../../src/runtime/child/watchdog.ts'

const sandbox = { isDisposed: false, cpuMs: 0, dispose() {} } as Sandbox
const work = (ms: number) => {
  for (const from = performance.now(); performance.now() - from < ms; );
}

test('what has been disposed of and ended is not called wedged, however often it was to end', async () => {
  const wedged: string[] = []
  const watchdog = new Watchdog({ timeoutMs: 10, cpuMs: 5_000 }, sandbox, {
    onLimit: () => true,
    onWedged: (limit) => wedged.push(limit),
  })
  // Its time is over, and so is that in which it may obey.
  await delay(200)
  watchdog.giveUp()
  watchdog.stop()
  work(60)
  await delay(600)
  expect(wedged).toEqual([])
})

test('what cannot be ended is called wedged once it has had the processor, and not before', async () => {
  let isWedged = false
  disposeOf(sandbox, () => {
    isWedged = true
  })
  const { user, system } = process.cpuUsage()
  await delay(400)
  const since = process.cpuUsage({ user, system })
  const whileIdle = isWedged && since.user + since.system < 50_000
  for (let turn = 0; turn < 40 && !isWedged; turn++) {
    work(10)
    await delay(20)
  }
  expect([whileIdle, isWedged]).toEqual([false, true])
})
