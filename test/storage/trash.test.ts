/** The trash: files whose rows are gone are unlinked, and forgotten only then. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTrash } from '../../src/storage/storage.ts'
import { openSqlite } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'
import { openTestStorage, storedFiles } from '../support/test-storage.ts'

/** A store with instances whose files are in a storage, and the trash of both. */
async function openWithInstances(count: number) {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(temporaryFolder())
  const store = opened.use(await openSqlite({ folder: folder.path, clock: Date.now }))
  const root = join(folder.path, 'files')
  const storage = opened.use(await openTestStorage(root))
  const { log, lines } = keptLog()
  const trash = openTrash(store, storage, log, () => {})
  const arrivals = Array.from({ length: count }, (_, number) => arrivalOf({ instance: String(number) }))
  await Promise.all(
    arrivals.map(async (arrival) => {
      const file = await storage.write([Buffer.from('bytes')])
      await store.record({ ...arrival, file })
      storage.keep(file)
    }),
  )
  const ids = arrivals.map(({ header }) => header.ids)
  const running = opened.move()
  return { root, store, storage, trash, lines, ids, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

test('the files of what was deleted are unlinked, those of what is left are not', async () => {
  await using opened = await openWithInstances(3)
  const { root, store, trash, ids } = opened
  await store.remove('Instance', ids[0]!.instance)
  expect(storedFiles(root)).toHaveLength(3)
  await trash.takeOut()
  const left = await store.holds(ids.map(({ instance }) => instance))
  expect(storedFiles(root)).toEqual([...left.values()].sort())
  expect(left.size).toBe(2)
  expect(await store.trash(10)).toEqual([])
})

test('however much there is, all of it is taken out', async () => {
  await using opened = await openWithInstances(600)
  const { root, store, trash, ids } = opened
  await store.remove('Patient', ids[0]!.patient)
  expect(storedFiles(root)).toHaveLength(600)
  await trash.takeOut()
  expect(storedFiles(root)).toEqual([])
  expect(await store.trash(10)).toEqual([])
})

test('a file that is gone already is forgotten as the others are', async () => {
  await using opened = await openWithInstances(2)
  const { root, store, trash, ids, lines } = opened
  const held = await store.holds([ids[0]!.instance])
  rmSync(join(root, [...held.values()][0]!))
  await store.remove('Patient', ids[0]!.patient)
  await trash.takeOut()
  expect([storedFiles(root), await store.trash(10), lines]).toEqual([[], [], []])
})

test('what cannot be unlinked is logged, and stays in the list for the next time', async () => {
  await using opened = await openWithInstances(1)
  const { root, store, trash, ids, lines } = opened
  const [file] = (await store.holds([ids[0]!.instance])).values()
  const path = join(root, file!)
  rmSync(path)
  mkdirSync(join(path, 'in the way'), { recursive: true })
  await store.remove('Patient', ids[0]!.patient)
  await trash.takeOut()
  expect(await store.trash(10)).toEqual([file])
  expect(lines).toMatchObject([{ msg: expect.stringContaining('could not be removed') }])
  rmSync(path, { recursive: true })
  await trash.takeOut()
  expect(await store.trash(10)).toEqual([])
})

test('who asks while the trash is being taken out finds his own files gone, too', async () => {
  await using opened = await openWithInstances(40)
  const { root, store, trash, ids } = opened
  const files = await store.holds(ids.map(({ instance }) => instance))
  const left: string[] = []
  await Promise.all(
    ids.map(async ({ instance }) => {
      await store.remove('Instance', instance)
      await trash.takeOut()
      if (existsSync(join(root, files.get(instance)!))) left.push(instance)
    }),
  )
  expect(left).toEqual([])
})
