/** Files that are synced later: what happens when the disk fails at it. */
import { existsSync, readFileSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openWriteBehind } from '../../src/storage/storage.ts'
import { openSqlite } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'
import { openTestStorage } from '../support/test-storage.ts'
import { until } from '../support/until.ts'

it('after a sync that failed the files are written again from the kept bytes before the next one counts', async () => {
  using folder = temporaryFolder()
  const root = join(folder.path, 'files')
  const segmentBytes = 64 * 1024
  await using store = await openSqlite({ folder: folder.path, segmentBytes })
  await using storage = await openTestStorage(root)
  const sizes = [9_000, 20_000, 40_000]
  const contents = sizes.map((size, index) => Buffer.alloc(size, index + 1))
  const files: string[] = []
  for (const [index, bytes] of contents.entries()) {
    const { file, content } = await storage.prepare([bytes])
    await store.record({ ...arrivalOf({ instance: String(index) }), file, content })
    storage.keep(file)
    files.push(file)
  }
  const { batch, files: unsynced } = (await store.unsyncedFiles(false))!
  expect(unsynced).toEqual(files.slice(0, 2))
  const [damaged, deleted] = files.map((file) => join(root, file))

  const syncs: Buffer[] = []
  const failingOnce = {
    async sync(names: readonly string[]) {
      syncs.push(readFileSync(damaged!))
      if (syncs.length > 1) return storage.sync(names)
      // What the disk made of the one, and what somebody does to the other meanwhile.
      truncateSync(damaged!, 100)
      unlinkSync(deleted!)
      throw new Error('EIO: i/o error, fdatasync')
    },
    rewrite: (file: string, bytes: Uint8Array) => storage.rewrite(file, bytes),
  }
  const { log, lines } = keptLog()
  await using writeBehind = openWriteBehind(store, failingOnce, log, 10)
  writeBehind.onBatches(1)
  await until('the batch to be forgotten', async () => (await store.unsyncedFiles(false))?.batch !== batch)
  expect(syncs).toEqual([contents[0], contents[0]])
  expect(readFileSync(damaged!)).toEqual(contents[0])
  expect(existsSync(deleted!)).toBe(false)
  expect(lines.map(({ msg }) => msg)).toEqual([
    'Files could not be synced; their bytes are kept, trying again',
  ])
})
