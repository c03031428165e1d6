/** What a tick makes of an instance that is accepted while the tick waits for the rows of earlier ones. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'

it('nothing is stable at a time at which one more instance of it was accepted already', async () => {
  using folder = temporaryFolder()
  await using store = await openSqlite({ folder: folder.path })
  const ageMs = 500
  await store.tick()
  await store.record(arrivalOf({ study: 'S', instance: '1', ageMs }))

  const other = new Database(join(folder.path, 'index.sqlite'))
  // Until the end of this transaction the store writes nothing.
  other.exec('begin immediate')
  await store.accept(arrivalOf({ patient: 'Q', study: 'T', instance: '1' }))
  const ticked = store.tick()
  await store.accept(arrivalOf({ study: 'S', instance: '2', ageMs }))
  await delay(ageMs + 100)
  other.exec('rollback')
  other.close()

  expect(await ticked).toMatchObject({ fired: 0 })
  const { changes } = await store.changes({ limit: 100 })
  expect(changes.map(({ type }) => type).filter((type) => /^Stable|^NewInstance/.test(type))).toEqual([
    'NewInstance',
    'NewInstance',
    'NewInstance',
  ])
})
