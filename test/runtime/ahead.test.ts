/** Runs that are handed over while the one before them is still at work. */
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type RunRequest, type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { childPids } from '../support/child-pids.ts'
import { linesOf, makeProgram } from '../support/program.ts'

let runtime: Runtime
beforeEach(async () => {
  runtime = await startRuntime({ log: createLog('silent'), graceMs: 500 })
})
afterEach(() => runtime.close())

/** A script that does what its event says, and counts what it began. */
const source = `let begun = 0, atWork = 0
  async function forgotten(host, own) {
    for (let i = 0; i < 50; i++) await undefined
    console.log(own, await host.kv.get('key'))
  }
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export async function onChange({ act, ms }, host) {
    begun++
    if (++atWork > 1) console.log('not alone')
    try {
      if (ms > 0) await wait(ms)
      if (act === 'throw') throw new Error('as asked')
      if (act === 'loop') for (;;);
      if (act === 'work') for (const from = Date.now(); Date.now() - from < 500; );
      if (act === 'search for ever') Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)
      if (act === 'wait for ever') await new Promise(() => {})
      if (act === 'ask') console.log(await host.kv.get('key'))
      if (act === 'forget to wait') forgotten(host, begun)
      if (act === 'leave a rejection') Promise.reject(new Error('left behind'))
      console.log(begun)
    } finally { atWork-- }
  }`

async function load(timeoutMs = 5_000, text = source) {
  const program = { ...makeProgram(text, { timeoutMs }), loadMs: 5_000 }
  await runtime.load(program)
  return (event: object, answer: RunRequest['answer'] = async () => ({ ok: true, value: '"yes"' })) => ({
    version: program.version,
    callback: 'onChange',
    event: JSON.stringify({ ms: 0, ...event }),
    answer,
  })
}

describe('runs that are handed over ahead', () => {
  it('are run in their order, one at a time, and each has its own log', async () => {
    const request = await load()
    const first = runtime.run(request({ ms: 50 }))
    const ahead = Array.from({ length: 20 }, (_, n) => runtime.runAhead(request({ ms: n % 3 })))
    const results = await Promise.all([first, ...ahead])
    expect(results.map((result) => linesOf(result!))).toEqual(results.map((_, n) => [String(n + 1)]))
    expect(results.every((result) => result?.outcome === 'ok')).toBe(true)
    expect(results.filter((result) => result!.durationMs < result!.cpuMs)).toEqual([])
  })

  it('keep their order and their logs apart, whatever each of them does', async () => {
    const acts = ['', '', '', '', 'ask', 'forget to wait', 'wait']
    const act = fc.constantFrom(...acts)
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 40 }), async (chosen) => {
        const request = await load()
        const first = runtime.run(request({}))
        const events = chosen.map((each) => request({ act: each, ms: each === 'wait' ? 2 : 0 }))
        const results = await Promise.all([first, ...events.map((event) => runtime.runAhead(event))])
        expect(results.map((result) => result?.outcome)).toEqual(results.map(() => 'ok'))
        const expected = chosen.map((each, index) => {
          const own = String(index + 2)
          return each === 'ask' ? ['yes', own] : each === 'forget to wait' ? [own, `${own} yes`] : [own]
        })
        expect(results.slice(1).map((result) => linesOf(result!))).toEqual(expected)
        await runtime.unload(events[0]!.version)
      }),
      { numRuns: 25 },
    )
  })

  it('do nothing behind one whose isolate is gone, though nobody knew when they were handed over', async () => {
    const request = await load(100)
    const first = runtime.run(request({ act: 'loop' }))
    await delay(50)
    // What the child says meanwhile is not read.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    expect(await runtime.runAhead(request({}))).toBeNull()
    expect((await first).outcome).toBe('timed-out')
  })

  it('are not run past one that could not be handed over', async () => {
    const request = await load()
    const first = runtime.run(request({ ms: 100 }))
    expect(await runtime.runAhead(request({ act: 'x'.repeat(5 * 1024 * 1024) }))).toBeNull()
    expect(await runtime.runAhead(request({}))).toBeNull()
    expect((await first).outcome).toBe('ok')
  })

  it('are not run behind one that begins again, past those that came back', async () => {
    const request = await load()
    const asked = Promise.withResolvers<void>()
    let asks = 0
    const first = runtime.run(request({}))
    const again = runtime.runAhead(
      request({ act: 'ask' }, async () => {
        if (++asks > 1) await delay(200)
        else {
          asked.resolve()
          await new Promise(() => {})
        }
        return { ok: true, value: '"yes"' }
      }),
    )
    const behind = runtime.runAhead(request({}))
    await asked.promise
    const other = await load()
    void runtime.run(other({ ms: 1_000 }))
    await delay(50)
    for (const pid of childPids('child/entry.ts')) process.kill(pid, 'SIGKILL')
    expect(await behind).toBeNull()
    expect(await runtime.runAhead(request({}))).toBeNull()
    expect([(await first).outcome, (await again)?.outcome, asks]).toEqual(['ok', 'ok', 2])
  })

  it('do nothing behind one that leaves a rejection to nobody', async () => {
    const request = await load()
    await runtime.run(request({}))
    const first = runtime.run(request({}))
    const failing = runtime.runAhead(request({ act: 'leave a rejection' }))
    const behind = [1, 2, 3].map(() => runtime.runAhead(request({ act: 'ask' })))
    expect((await first).outcome).toBe('ok')
    expect((await failing)?.error?.message).toBe('left behind')
    expect(await Promise.all(behind)).toEqual([null, null, null])
  })

  it('are not charged with what one that was dropped does in the isolate', async () => {
    const request = await load(500)
    for (const act of ['loop', 'search for ever', 'ask']) {
      await runtime.run(request({}))
      const first = runtime.run(request({}))
      const failing = runtime.runAhead(request({ act: 'leave a rejection' }))
      const behind = runtime.runAhead(request({ act }))
      expect((await first).outcome).toBe('ok')
      const { outcome, error } = (await failing)!
      // What cannot be ended takes the process along.
      expect([outcome, error?.message]).toEqual(
        act === 'search for ever' ? ['timed-out', expect.any(String)] : ['threw', 'left behind'],
      )
      expect(await behind).toBeNull()
      expect(linesOf(await runtime.run(request({})))).toEqual(['1'])
    }
  })

  it('are not begun when they are recalled, whether the isolate has been given them or not', async () => {
    const request = await load()
    const { script } = makeProgram('')
    for (const ms of [0, 50]) {
      await runtime.run(request({}))
      const first = runtime.run(request({ ms }))
      const working = runtime.runAhead(request({ act: 'work' }))
      const behind = [1, 2, 3].map(() => runtime.runAhead(request({ act: 'work' })))
      await first
      await delay(200)
      runtime.recall(script)
      const late = runtime.runAhead(request({}))
      expect((await working)?.outcome).toBe('ok')
      expect(await Promise.all([...behind, late])).toEqual([null, null, null, null])
      expect(linesOf(await runtime.run(request({})))).toEqual([ms === 0 ? '4' : '8'])
    }
  })

  it('leave the run at work its own time when they are recalled', async () => {
    const request = await load()
    const first = runtime.run(request({ ms: 50 }))
    const working = runtime.runAhead(request({ ms: 500 }))
    const behind = runtime.runAhead(request({}))
    await first
    await delay(300)
    runtime.recall(makeProgram('').script)
    expect(await behind).toBeNull()
    expect((await working)?.durationMs).toBeGreaterThan(400)
  })

  it('are not begun when they are recalled before they could be handed over', async () => {
    const request = await load()
    const first = runtime.run(request({}))
    const behind = runtime.runAhead(request({}))
    runtime.recall(makeProgram('').script)
    expect([(await first).outcome, await behind]).toEqual(['ok', null])
    expect(linesOf(await runtime.run(request({})))).toEqual(['2'])
  })

  it('are not begun when they are recalled while their isolate is made anew', async () => {
    const slow = source.replace(
      'let begun',
      'for (const from = Date.now(); Date.now() - from < 500; );\nlet begun',
    )
    const request = await load(300, slow)
    expect((await runtime.run(request({ act: 'loop' }))).outcome).toBe('timed-out')
    const next = runtime.runUnlessRecalled(request({}))
    const behind = runtime.runAhead(request({}))
    await delay(50)
    runtime.recall(makeProgram('').script)
    expect(await Promise.all([next, behind])).toEqual([null, null])
    expect(linesOf((await runtime.runUnlessRecalled(request({})))!)).toEqual(['1'])
  })

  it('ask the host, and are answered', async () => {
    const request = await load()
    const first = runtime.run(request({ ms: 20 }))
    const ahead = runtime.runAhead(request({ act: 'ask' }))
    await first
    expect(linesOf((await ahead)!)).toEqual(['yes', '2'])
  })

  it.each([
    ['throws', { act: 'throw', ms: 20 }],
    ['meets its time limit', { act: 'wait for ever' }],
    ['meets its time limit in a loop', { act: 'loop' }],
  ])('do nothing behind one that %s; later ones run as ever', async (_, event) => {
    const request = await load(300)
    await runtime.run(request({}))
    const first = runtime.run(request(event))
    const ahead = [1, 2, 3].map(() => runtime.runAhead(request({})))
    expect((await first).outcome).not.toBe('ok')
    // Also what is handed over when the end of the first is known already.
    expect(await Promise.all([...ahead, runtime.runAhead(request({}))])).toEqual([null, null, null, null])
    const next = await runtime.run(request({}))
    const isAnew = event.act !== 'throw'
    expect(linesOf(next)).toEqual([isAnew ? '1' : '3'])
  })

  it('do nothing behind one of their own that fails', async () => {
    const request = await load()
    const first = runtime.run(request({ ms: 20 }))
    const [well, failed, behind] = [{}, { act: 'throw' }, {}].map((event) => runtime.runAhead(request(event)))
    expect((await first).outcome).toBe('ok')
    expect(linesOf((await well)!)).toEqual(['2'])
    expect((await failed)?.outcome).toBe('threw')
    expect(await behind).toBeNull()
  })

  it('do nothing when the process goes, which is charged to the one at work alone', async () => {
    const request = await load()
    const first = runtime.run(request({ ms: 500 }))
    const ahead = [1, 2].map(() => runtime.runAhead(request({})))
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (const pid of childPids('child/entry.ts')) process.kill(pid, 'SIGKILL')
    expect(await Promise.all(ahead)).toEqual([null, null])
    expect((await first).outcome).toBe('crashed')
    expect(linesOf(await runtime.run(request({})))).toEqual(['1'])
  })

  it('have each its own time, which begins when the one before has ended', async () => {
    const request = await load(600)
    const first = runtime.run(request({ ms: 400 }))
    const [second, endless] = [{ ms: 400 }, { act: 'wait for ever' }].map((event) =>
      runtime.runAhead(request(event)),
    )
    expect((await first).outcome).toBe('ok')
    const result = (await second)!
    expect(result.outcome).toBe('ok')
    expect(result.durationMs).toBeGreaterThan(300)
    expect(result.durationMs).toBeLessThan(600)
    expect((await endless)?.outcome).toBe('timed-out')
  })

  it.each(['loop', 'search for ever'])(
    'are charged with a time limit that they meet right behind a short one: %s',
    async (act) => {
      const request = await load(300)
      // Whether the short one was measured lately is a matter of luck.
      for (let round = 0; round < 5; round++) {
        await runtime.run(request({}))
        const first = runtime.run(request({}))
        const [short, long, behind] = [{}, { act }, {}].map((event) => runtime.runAhead(request(event)))
        expect([(await first).outcome, (await short)?.outcome]).toEqual(['ok', 'ok'])
        expect((await long)?.outcome).toBe('timed-out')
        expect(await behind).toBeNull()
        expect(linesOf(await runtime.run(request({})))).toEqual(['1'])
      }
    },
  )

  it('follow nothing that was never begun, and no other version', async () => {
    const request = await load()
    expect(await runtime.runAhead(request({}))).toBeNull()
    const other = await load()
    const first = runtime.run(request({ ms: 50 }))
    expect(await runtime.runAhead(other({}))).toBeNull()
    expect(linesOf(await first)).toEqual(['1'])
    expect(linesOf(await runtime.run(other({})))).toEqual(['1'])
  })

  it('end before their version is unloaded', async () => {
    const request = await load()
    const first = runtime.run(request({ ms: 50 }))
    const ahead = runtime.runAhead(request({ ms: 50 }))
    await runtime.unload(request({}).version)
    expect([(await first).outcome, (await ahead)?.outcome]).toEqual(['ok', 'ok'])
  })
})
