/** What is kept no longer goes, by itself. */
import { expect, test } from 'vitest'
import { startRetention } from '../../src/dispatch/dispatch.ts'
import { openSqlite, type Straggler } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { memoryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'
import { wellRun } from '../support/run-records.ts'
import { until } from '../support/until.ts'

test('old runs and changes are removed, all of them, and who is too far behind is told of', async () => {
  using folder = memoryFolder()
  let nowMs = 1_800_000_000_000
  await using store = await openSqlite({ folder: folder.path, clock: () => nowMs })
  const version = { hash: 'v', code: '', sourceMap: '' }
  const run = { ...wellRun, version: 'v' }
  for (const name of ['s', 'behind'])
    await store.putScript(name, version, [{ type: 'NewInstance', callback: 'onStoredInstance' }])
  const count = 1_200
  for (let n = 0; n < count; n++) await store.record(arrivalOf({ study: `S${n}`, instance: '1' }))
  for (let left = count; left > 0; ) {
    const { leases } = await store.lease({ s: 500 }, 1_000)
    await store.settleAll(
      leases.map(({ delivery, fence }) => ({
        delivery,
        fence,
        next: 'done',
        delayMs: 0,
        run,
        keyValueWrites: [],
      })),
    )
    left -= leases.length
  }
  nowMs += 10_000
  const mostBehind = 1_000
  const lastOfLog = async () => (await store.changes({ last: true, limit: 1 })).last
  const stragglers: Straggler[] = []
  const { log, lines } = keptLog()
  {
    await using _ = startRetention({
      store,
      log,
      settings: {
        runsKeepDays: 5 / 86_400,
        failuresKeepDays: 5 / 86_400,
        runsMaxMb: 1_000,
        logKeepDays: 5 / 86_400,
        logMaxBehind: mostBehind,
        logMaxMb: 1_000,
      },
      onStraggler: (straggler) => stragglers.push(straggler),
    })
    await until(
      'all to be gone but what the bound keeps for the one behind',
      async () =>
        (await store.runs({ limit: 1 })).length === 0 &&
        (await store.changes({ limit: 1 })).changes[0]!.seq === (await lastOfLog()) - mostBehind + 1,
    )
  }
  expect(stragglers).toMatchObject([{ name: 'behind', version: 'v' }])
  expect(lines).toEqual([])
})

test('runs that go for their age leave room for the others', async () => {
  using folder = memoryFolder()
  let nowMs = 1_800_000_000_000
  await using store = await openSqlite({ folder: folder.path, clock: () => nowMs })
  const version = { hash: 'v', code: '', sourceMap: '' }
  await store.putScript('s', version, [{ type: 'NewInstance', callback: 'onStoredInstance' }])
  const run = { ...wellRun, logs: JSON.stringify('x'.repeat(10_000)) }
  const tell = async (count: number) => {
    for (let n = 0; n < count; n++) await store.record(arrivalOf({ study: `${nowMs} ${n}`, instance: '1' }))
    const { leases } = await store.lease({ s: count }, 1_000)
    await store.settleAll(
      leases.map(({ delivery, fence }) => ({
        ...{ delivery, fence, next: 'done' as const, delayMs: 0, run, keyValueWrites: [] },
      })),
    )
  }
  await tell(100)
  nowMs += 8 * 86_400_000
  await tell(100)
  const settings = {
    runsKeepDays: 7,
    failuresKeepDays: 90,
    logKeepDays: 365,
    logMaxBehind: 1e7,
    logMaxMb: 8192,
  }
  const keptOf = async (runsMaxMb: number) => {
    const { log } = keptLog()
    const swept = Promise.withResolvers<void>()
    const stragglers = async (mostBehind: number) => {
      swept.resolve()
      return store.stragglers(mostBehind)
    }
    await using _ = startRetention({
      ...{ store: { ...store, stragglers }, log, onStraggler: () => {} },
      settings: { ...settings, runsMaxMb },
    })
    await swept.promise
    let before = -1
    await until('nothing more to go', async () => {
      const { runs } = await store.runsSize()
      const isSame = runs === before
      before = runs
      await new Promise((resolve) => setTimeout(resolve, 200))
      return isSame
    })
    return before
  }
  expect(await keptOf(1.5)).toBe(100)
  // A run takes some 10,300 bytes.
  const kept = await keptOf(0.5)
  expect(kept).toBeGreaterThan(40)
  expect(kept).toBeLessThan(60)
})
