/** Settlements that go to the store together. */
import { expect, test } from 'vitest'
import { openSettling } from '../../src/dispatch/settling.ts'
import { fault } from '../../src/errors.ts'
import { type Lease, openSqlite, type Settlement } from '../../src/store/store.ts'
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

test('one that fails while the store does is kept, and what was not run is never set aside', async () => {
  using folder = memoryFolder()
  await using store = await openSqlite({ folder: folder.path, clock: Date.now })
  const version = { hash: 'v', code: '', sourceMap: '' }
  await store.putScript('s', version, [{ type: 'NewInstance', callback: 'onStoredInstance' }])
  for (const study of ['A', 'B']) await store.record(arrivalOf({ study, instance: '1' }))
  const { leases } = await store.lease({ s: 2 }, 10_000)
  const { log, lines } = keptLog()
  let failures = 6
  const failing =
    <Given, Result>(operation: (given: Given) => Promise<Result>) =>
    async (given: Given): Promise<Result> => {
      if (failures-- > 0) throw fault('internal', 'It refused an operation')
      return operation(given)
    }
  const settling = openSettling({
    store: { settle: failing(store.settle), settleAll: failing(store.settleAll) },
    log,
    onFlowing: () => {},
  })
  const same = ({ delivery, fence }: Lease) => ({ delivery, fence, delayMs: 0, keyValueWrites: [] })
  const [first, second] = leases as [Lease, Lease]
  await Promise.all([
    settling.settle(first, { ...same(first), next: 'done', run: wellRun }),
    settling.settle(second, { ...same(second), next: 'release', run: null }),
  ])
  expect(await store.backlog()).toMatchObject([{ leased: 0, waiting: 1, dead: 0 }])
  expect(await store.runs({ limit: 10 })).toMatchObject([{ outcome: 'ok' }])
  expect(lines.map(({ msg }) => msg)).toEqual([
    'Runs cannot be settled; trying again',
    'Runs are settled again',
  ])
  await settling.close()
})
