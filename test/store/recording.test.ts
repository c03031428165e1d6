/**
 * Between the journal and the rows: an accepted instance is owed its rows, is there for whoever asks next, and
 * is refused to nobody because another one fails.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { connectHere } from '../../src/store/sqlite/connection.ts'
import { HeldInstances } from '../../src/store/sqlite/held-instances.ts'
import { openJournal } from '../../src/store/sqlite/journal/open.ts'
import { Recording } from '../../src/store/sqlite/recording.ts'
import { type Arrival, openSqlite, type Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'
import { until } from '../support/until.ts'

const bytes = new Uint8Array(100).fill(7)
const contentAt = (folder: string, name: string) => ({ path: join(folder, name), bytes })
const number = (index: number) => arrivalOf({ instance: String(index), place: index })
const idOf = ({ header }: Arrival) => header.ids.instance

it('an accepted instance is there for whatever is asked next', async () => {
  using folder = temporaryFolder()
  await using store = await openSqlite({ folder: folder.path })
  for (let index = 1; index <= 20; index++) {
    const arrival = number(index)
    await store.accept(arrival)
    const questions: Record<number, () => Promise<unknown>> = {
      0: () => store.find('Instance', idOf(arrival)),
      1: async () => (await store.list('Instance', null)).includes(idOf(arrival)) || null,
      2: async () => (await store.holds([idOf(arrival)])).get(idOf(arrival)) ?? null,
      3: () => store.remove('Instance', idOf(arrival)),
    }
    expect(await questions[index % 4]!()).not.toBeNull()
  }
})

it('rows come in the order in which the instances were accepted, however many came at once', async () => {
  using folder = temporaryFolder()
  await using store = await openSqlite({ folder: folder.path })
  const arrivals = Array.from({ length: 1_200 }, (_, index) => number(index))
  const accepted = await Promise.all(arrivals.map((arrival) => store.accept(arrival)))
  const { changes } = await store.changes({ limit: 10_000, types: ['NewInstance'] })
  expect(changes.map(({ id }) => id)).toEqual(arrivals.map(idOf))
  const statuses = (await Promise.all(accepted.map(({ recorded }) => recorded))).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set(['Success']))
})

it('an instance that came twice at once is recorded once', async () => {
  using folder = temporaryFolder()
  await using store = await openSqlite({ folder: folder.path })
  const twice = [number(1), number(1)].map((each, index) => ({
    ...each,
    content: contentAt(folder.path, `file-${index}`),
  }))
  const accepted = await Promise.all(twice.map((arrival) => store.accept(arrival)))
  const ends = await Promise.all(accepted.map(({ recorded }) => recorded))
  expect(ends.map(({ status }) => status)).toEqual(['Success', 'AlreadyStored'])
  expect(readdirSync(folder.path).filter((name) => name.startsWith('file'))).toEqual(['file-0'])
})

it('whether an instance is held is known at once of one that nobody holds; of any other when it has its rows', async () => {
  using folder = temporaryFolder()
  const twice = async (store: Store, arrival: Arrival) => {
    const accepted = await Promise.all([arrival, arrival].map((each) => store.accept(each, 'known')))
    const areOwed = accepted.map(({ isOwed }) => isOwed)
    const ends = await Promise.all(accepted.map(({ recorded }) => recorded))
    return ends.map(({ status }, at) => `${status}${areOwed[at] ? ' (owed)' : ''}`)
  }
  let lastNumber = 0
  {
    await using store = await openSqlite({ folder: folder.path })
    // The first arrival has the index read; until that is done, any instance may be held.
    expect(await twice(store, number(0))).toEqual(['Success', 'AlreadyStored'])
    await until('the index to be read', async () => {
      const [first, second] = await twice(store, number(++lastNumber))
      expect(second).toBe('AlreadyStored')
      return first === 'Success (owed)'
    })
    await store.remove('Instance', idOf(number(lastNumber)))
    expect(await twice(store, number(lastNumber))).toEqual(['Success', 'AlreadyStored'])
  }
  await using store = await openSqlite({ folder: folder.path })
  await store.restoreRows(async () => true)
  expect(await twice(store, number(lastNumber))).toEqual(['AlreadyStored', 'AlreadyStored'])
  expect(
    await until('the index to be read', async () => {
      const [first] = await twice(store, number(++lastNumber))
      return first === 'Success (owed)'
    }),
  ).toBe(true)
  expect(await twice(store, number(1))).toEqual(['AlreadyStored', 'AlreadyStored'])
})

it('what was accepted just before an orderly end has its rows at the next start', async () => {
  using folder = temporaryFolder()
  {
    await using store = await openSqlite({ folder: folder.path })
    for (let index = 0; index < 5; index++) await store.accept(number(index))
  }
  await using store = await openSqlite({ folder: folder.path })
  expect(await store.statistics()).toMatchObject({ instances: 5 })
})

it('rows that the disk does not take are owed: nothing more is taken until they are there', async () => {
  using folder = temporaryFolder()
  const said: (string | null)[] = []
  await using store = await openSqlite({ folder: folder.path, onBlocked: (reason) => said.push(reason) })
  const owed = { ...number(1), content: contentAt(folder.path, 'missing/1') }
  const { recorded } = await store.accept(owed)
  await store.statistics()
  expect(said).toEqual([expect.stringContaining('ENOENT')])
  await expect(store.accept(number(2))).rejects.toThrow(/ENOENT/)
  await expect(store.record(number(3))).rejects.toThrow(/ENOENT/)
  expect(await store.statistics()).toMatchObject({ instances: 0 })
  mkdirSync(join(folder.path, 'missing'))
  expect(await recorded).toMatchObject({ status: 'Success' })
  expect(existsSync(join(folder.path, 'missing', '1'))).toBe(true)
  expect(said.slice(1)).toEqual([null])
  expect(await store.record(number(2))).toMatchObject({ status: 'Success' })
})

it('rows that are still owed at the end come back from the journal at the next start', async () => {
  using folder = temporaryFolder()
  const owed = { ...number(1), content: contentAt(folder.path, 'missing/1') }
  let ended: Promise<unknown>
  {
    await using store = await openSqlite({ folder: folder.path })
    const { recorded } = await store.accept(owed)
    ended = expect(recorded).rejects.toMatchObject({ code: 'shutting-down' })
    await store.statistics()
  }
  await ended
  await using store = await openSqlite({ folder: folder.path })
  const kept = await store.keptFiles(0)
  expect(kept).toEqual([{ number: 1, file: owed.file, bytes }])
  expect(await store.restoreRows(async () => true)).toEqual([])
  expect(await store.find('Instance', idOf(owed))).toMatchObject({ file: owed.file })
})

it('an accepted instance that can have no rows keeps its file, and holds up no other', async () => {
  using folder = temporaryFolder()
  await using store = await openSqlite({ folder: folder.path })
  const broken = {
    ...number(2),
    content: contentAt(folder.path, 'kept'),
    sizeBytes: null as unknown as number,
  }
  const [first, second, third] = await Promise.all(
    [number(1), broken, number(3)].map((arrival) => store.accept(arrival)),
  )
  await expect(second!.recorded).rejects.toMatchObject({ code: 'internal' })
  await Promise.all([first!.recorded, third!.recorded])
  expect(await store.statistics()).toMatchObject({ instances: 2 })
  expect(existsSync(join(folder.path, 'kept'))).toBe(true)
})

it('a journal that broke is left alone: files that are synced already still get rows, with a synced commit', async () => {
  using folder = temporaryFolder()
  const nowMs = () => 1_000
  const database = connectHere(
    { file: join(folder.path, 'index.sqlite'), readonly: false, crashAt: null },
    nowMs,
  )
  const options = { folder: join(folder.path, 'journal'), settledNumber: 0, usedNumber: 0, clock: nowMs }
  const journal = openJournal({ ...options, reach: () => {} })
  const held = new HeldInstances(database)
  const recording = new Recording({ journal, database, onBlocked: () => {}, held })
  expect(await recording.record(number(1))).toEqual({ status: 'Success', unsyncedBatches: 0 })
  // Its descriptors are gone, as if the disk were.
  await journal.close()
  await expect(recording.accept(number(2))).rejects.toThrow(/EBADF/)
  await expect(recording.accept({ ...number(3), content: contentAt(folder.path, '3') })).rejects.toThrow(
    /journal cannot be written/,
  )
  const { recorded } = await recording.accept(number(4))
  expect(await recorded).toEqual({ status: 'Success', unsyncedBatches: Number.MAX_SAFE_INTEGER })
  await recording.close()
  await database.close()

  // The number that the failed group used up is known, so that it cannot come back over what came later.
  const again = connectHere({ file: join(folder.path, 'index.sqlite'), readonly: true, crashAt: null }, nowMs)
  expect(again.greeting.knownNumber).toBe(2)
  await again.close()
})

it('a segment whose rows are still owed is not given up', async () => {
  using folder = temporaryFolder()
  await using store: Store = await openSqlite({ folder: folder.path })
  const { recorded } = await store.accept({ ...number(1), content: contentAt(folder.path, 'missing/1') })
  recorded.catch(() => {})
  await store.statistics()
  const unsynced = await store.unsyncedFiles(true)
  await expect(store.forgetBytes(unsynced!.batch)).rejects.toMatchObject({ code: 'storage-full' })
})
