import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openSqlite } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'
import { brokerCases } from './broker.cases.ts'
import { deliveryCases } from './delivery.cases.ts'
import { type StoreUnderTest, storeCases } from './store.cases.ts'

async function open(): Promise<StoreUnderTest> {
  const folder = temporaryFolder()
  let nowMs = 1_800_000_000_000
  const clock = () => nowMs
  const under = {
    store: await openSqlite({ folder: folder.path, clock }),
    advance: (ms: number) => {
      nowMs += ms
    },
    reopen: async () => {
      await under.store.close()
      under.store = await openSqlite({ folder: folder.path, clock })
      return under.store
    },
    close: async () => {
      await under.store.close()
      folder[Symbol.dispose]()
    },
  }
  return under
}

storeCases('SQLite', open)
deliveryCases('SQLite', open)
brokerCases('SQLite', open)

describe('SQLite on its threads', () => {
  it('keeps what was recorded, for the next process', async () => {
    using folder = temporaryFolder()
    const { header } = arrivalOf({ instance: '1' })
    {
      await using store = await openSqlite({ folder: folder.path })
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => store.record(arrivalOf({ instance: String(n) }))),
      )
    }
    await using store = await openSqlite({ folder: folder.path })
    expect(await store.statistics()).toMatchObject({ patients: 1, studies: 1, series: 1, instances: 50 })
    expect((await store.changes({ limit: 1_000 })).last).toBe(53)
    expect(await store.find('Instance', header.ids.instance)).toMatchObject({
      tags: { SOPInstanceUID: '1.S.A.1' },
    })
  })

  it('lets one operation fail without the others of its transaction', async () => {
    using folder = temporaryFolder()
    await using store = await openSqlite({ folder: folder.path })
    const broken = arrivalOf({ instance: '2' })
    const results = await Promise.allSettled([
      store.record(arrivalOf({ instance: '1' })),
      store.record({ ...broken, file: null as unknown as string }),
      store.record(arrivalOf({ instance: '3' })),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await store.statistics()).toMatchObject({ instances: 2 })
    expect((await store.changes({ limit: 10 })).changes.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  })

  it('writes the file of an instance with its rows: both are there, or neither', async () => {
    using folder = temporaryFolder()
    await using store = await openSqlite({ folder: folder.path })
    const contentOf = (name: string) => ({
      path: join(folder.path, name),
      bytes: new Uint8Array(10).fill(7),
    })
    const broken = arrivalOf({ instance: '2', content: contentOf('2') })
    const again = arrivalOf({ instance: '1', content: contentOf('again') })
    const nowhere = arrivalOf({ instance: '4', content: contentOf('missing/4') })
    const results = await Promise.allSettled([
      store.record(arrivalOf({ instance: '1', content: contentOf('1') })),
      store.record({ ...broken, sizeBytes: null as unknown as number }),
      store.record(arrivalOf({ instance: '3', content: contentOf('3') })),
      store.record(again),
      store.record(nowhere),
    ])
    expect(results.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected'],
    ])
    expect(await store.statistics()).toMatchObject({ instances: 2 })
    expect(readdirSync(folder.path).filter((name) => !/[a-z]{4}/.test(name))).toEqual(['1', '3'])
    expect(readFileSync(join(folder.path, '3'))).toEqual(Buffer.alloc(10, 7))
  })

  it('counts no attempt for what was leased and not begun when the process ended', async () => {
    using folder = temporaryFolder()
    const subscriptions = [{ type: 'NewInstance', callback: 'onStoredInstance' }] as const
    const version = { hash: 'h', code: '', sourceMap: '' }
    {
      await using store = await openSqlite({ folder: folder.path })
      for (const name of ['a', 'b']) await store.putScript(name, version, subscriptions)
      for (const instance of ['1', '2', '3']) await store.record(arrivalOf({ instance, study: instance }))
      expect((await store.lease({ a: 3, b: 1 }, 60_000)).leases).toHaveLength(4)
    }
    await using store = await openSqlite({ folder: folder.path })
    const { leases } = await store.lease({ a: 3, b: 3 }, 60_000)
    const attempts = (name: string) =>
      leases.filter(({ script }) => script === name).map((each) => each.attempt)
    expect([attempts('a'), attempts('b')]).toEqual([
      [2, 1, 1],
      [2, 1, 1],
    ])
  })

  it('is open in one process at a time', async () => {
    using folder = temporaryFolder()
    await using _store = await openSqlite({ folder: folder.path })
    await expect(openSqlite({ folder: folder.path })).rejects.toMatchObject({
      code: 'data-folder',
      message: expect.stringContaining('in use by another server'),
    })
  })

  it('refuses a database of a newer version, and leaves it as it is', async () => {
    using folder = temporaryFolder()
    await (await openSqlite({ folder: folder.path })).close()
    const file = join(folder.path, 'index.sqlite')
    const database = new Database(file)
    database.pragma('user_version = 999')
    database.close()
    await expect(openSqlite({ folder: folder.path })).rejects.toMatchObject({ code: 'newer-database' })
  })

  it('refuses a file that is not a database', async () => {
    using folder = temporaryFolder()
    writeFileSync(
      join(folder.path, 'index.sqlite'),
      'not a database, but long enough to be taken for one'.repeat(100),
    )
    await expect(openSqlite({ folder: folder.path })).rejects.toMatchObject({ code: 'data-folder' })
  })
})
