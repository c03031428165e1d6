/** Settlements that go to the store together. */
import { expect, test } from 'vitest'
import { openSettling } from '../../src/dispatch/settling.ts'
import { openSqlite, type Settlement } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { memoryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'
import { wellRun } from '../support/run-records.ts'

test('one that cannot be stored is set aside and takes none of the others with it, and one that is lost is said', async () => {
  using folder = memoryFolder()
  await using store = await openSqlite({ folder: folder.path, clock: Date.now })
  const version = { hash: 'v', code: '', sourceMap: '' }
  await store.putScript('s', version, [{ type: 'NewInstance', callback: 'onStoredInstance' }])
  for (const study of ['A', 'B', 'C']) await store.record(arrivalOf({ study, instance: '1' }))
  const { leases } = await store.lease({ s: 3 }, 1_000)
  const { log, lines } = keptLog()
  const settling = openSettling({ store, log, onFlowing: () => {} })
  const done = (at: number, more: Partial<Settlement> = {}) => {
    const { delivery, fence } = leases[at]!
    return settling.settle(leases[at]!, {
      ...{ delivery, fence, next: 'done', delayMs: 0, run: wellRun, keyValueWrites: [] },
      ...more,
    })
  }
  const bad = { keyValueWrites: [{ key: 'k', value: {} as unknown as string }] }
  await Promise.all([done(0), done(1, bad), done(2), done(2)])
  expect(await store.backlog()).toMatchObject([{ leased: 0, waiting: 0, dead: 1 }])
  const runs = (await store.runs({ limit: 10 })).map(({ outcome, reason }) => [outcome, reason?.slice(0, 50)])
  expect(runs).toContainEqual(['threw', '{"message":"What the run left could not be stored:'])
  expect(lines.map(({ msg }) => msg).sort()).toEqual([
    'A run could not be settled: it is set aside',
    'A run ended after its lease was lost',
  ])
  await settling.close()
})
