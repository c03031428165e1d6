/** What a dispatcher holds while the store fails for longer than a lease lasts, or a script is saved. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type DispatchParts, startDispatch } from '../../src/dispatch/dispatch.ts'
import { fault } from '../../src/errors.ts'
import { type KeyChoice, type Lease, openSqlite, type Settlement, type Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { memoryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'
import { wellRun } from '../support/run-records.ts'
import { until } from '../support/until.ts'

const version = { hash: 'v', code: '', sourceMap: '' }
const ended = ({ delivery, fence }: Lease, next: Settlement['next'], delayMs = 0): Settlement => ({
  ...{ delivery, fence, next, delayMs, run: wellRun, keyValueWrites: [] },
})
const put = (store: Store, key: KeyChoice, concurrency = 1) =>
  store.putScript('s', version, [{ type: 'NewInstance', callback: 'onX', key }], null, concurrency)

const dispatchOf = (
  parts: Pick<DispatchParts, 'store' | 'log' | 'tell'>,
  concurrency = 1,
): ReturnType<typeof startDispatch> =>
  startDispatch({
    ...parts,
    scriptNames: () => ['s'],
    versionOf: () => 'v',
    concurrencyOf: () => concurrency,
    isPaused: () => false,
    recall: () => {},
  })

test('a run that began before an outage of more than a lease is told once, and its end counts', async () => {
  using folder = memoryFolder()
  let aheadMs = 0
  let isFull = false
  await using store = await openSqlite({ folder: folder.path, clock: () => Date.now() + aheadMs })
  await put(store, 'study', 2)
  for (const study of ['A', 'B']) await store.record(arrivalOf({ study, instance: '1' }))
  const whenNotFull =
    <Given extends unknown[], Result>(operation: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      if (isFull) throw fault('storage-full', 'The disk is full')
      return operation(...given)
    }
  const told: string[] = []
  const long = Promise.withResolvers<void>()
  const { log, lines } = keptLog()
  await using dispatch = dispatchOf(
    {
      store: {
        lease: whenNotFull(store.lease),
        renew: whenNotFull(store.renew),
        settle: whenNotFull(store.settle),
        settleAll: whenNotFull(store.settleAll),
      },
      log,
      async tell(lease) {
        if (told.push(`${lease.seq}, attempt ${lease.attempt}`) === 1) await long.promise
        else isFull = true
        return ended(lease, 'done')
      },
    },
    2,
  )
  dispatch.wake()
  await until('the outage to be said', () =>
    lines.some(({ msg }) => msg === 'Runs cannot be settled; trying again'),
  )
  aheadMs = 31_000
  isFull = false
  await until('it to be over', () => lines.some(({ msg }) => msg === 'Runs are settled again'))
  await wait(100)
  long.resolve()
  await until('all to be settled', async () => (await store.runs({ limit: 10 })).length === 2)
  expect(told).toEqual(['1, attempt 1', '5, attempt 1'])
  expect(await store.backlog()).toMatchObject([{ leased: 0, waiting: 0, dead: 0 }])
})

test('what was handed over ahead is recalled as soon as the end begins, however slow the store is', async () => {
  using folder = memoryFolder()
  await using store = await openSqlite({ folder: folder.path, clock: Date.now })
  await put(store, 'study')
  await store.record(arrivalOf({ instance: '1' }))
  const slow = Promise.withResolvers<void>()
  const recalled: string[] = []
  let leases = 0
  const dispatch = startDispatch({
    store: {
      ...store,
      async lease(...given) {
        if (++leases > 1) await slow.promise
        return store.lease(...given)
      },
    },
    ...{ scriptNames: () => ['s', 't'], versionOf: () => 'v', concurrencyOf: () => 1, isPaused: () => false },
    async tell(lease) {
      await slow.promise
      return ended(lease, 'done')
    },
    recall: (script) => recalled.push(script),
    log: keptLog().log,
  })
  dispatch.wake()
  await until('the first to begin', () => leases > 0)
  await wait(20)
  dispatch.wake()
  await until('the store to be slow', () => leases > 1)
  const closing = dispatch.close()
  expect(recalled).toEqual(['s'])
  slow.resolve()
  await closing
})

test('what a script was to be told next when it was saved with another key waits for what that key waits for', async () => {
  using folder = memoryFolder()
  await using store = await openSqlite({ folder: folder.path, clock: Date.now })
  await put(store, 'series')
  for (const series of ['A', 'B', 'C']) await store.record(arrivalOf({ series, instance: '1' }))
  const told: string[] = []
  const saved = Promise.withResolvers<void>()
  const { log } = keptLog()
  await using dispatch = dispatchOf({
    store,
    log,
    async tell(lease) {
      if (told.push(`${lease.seq}, attempt ${lease.attempt}`) > 1) return ended(lease, 'done')
      await saved.promise
      return ended(lease, 'retry', 100)
    },
  })
  dispatch.wake()
  await until('the first to begin', () => told.length === 1)
  await put(store, 'study')
  dispatch.onSwap('s')
  saved.resolve()
  await until('all to be told', () => told.length === 4)
  expect(told).toEqual(['1, attempt 1', '1, attempt 2', '5, attempt 1', '7, attempt 1'])
})
