/** What a start does after a crash: files first, then rows; and what becomes of a file that can have none. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bringBack, setAside } from '../../src/storage/storage.ts'
import { temporaryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'
import { openTestStorage, storedFiles } from '../support/test-storage.ts'

const bytes = Buffer.from('the bytes of an instance')

it('files come back before the rows, which are asked for only of files that are there', async () => {
  using folder = temporaryFolder()
  await using storage = await openTestStorage(folder.path)
  const { log } = keptLog()
  const asked: boolean[] = []
  const kept = [{ number: 1, file: '00000001/a', bytes }]
  const store = {
    keptFiles: async (after: number) => kept.filter(({ number }) => number > after),
    async restoreRows(isThere: (file: string) => Promise<boolean>) {
      for (const file of ['00000001/a', '00000001/b']) asked.push(await isThere(file))
      return []
    },
  }
  expect(await bringBack(store, storage, log)).toBe(1)
  expect(asked).toEqual([true, false])
  expect(await storage.read('00000001/a')).toEqual(bytes)
})

it('a file that can have no rows is set aside: no sweep finds it, and the log says where it is', async () => {
  using folder = temporaryFolder()
  const { log, lines } = keptLog()
  {
    await using storage = await openTestStorage(folder.path)
    const file = await storage.write([bytes])
    await setAside(storage, file, 'no reason', log)
    expect(storedFiles(folder.path)).toEqual([])
  }
  const [line] = lines as unknown as { path: string; reason: string }[]
  expect(line).toMatchObject({ path: expect.stringContaining('set-aside'), reason: 'no reason' })
  await using storage = await openTestStorage(folder.path)
  expect(await storage.sweep(async (files) => files)).toBe(0)
  expect(existsSync(line!.path)).toBe(true)
  expect(readFileSync(line!.path)).toEqual(bytes)
  expect(readdirSync(join(folder.path, 'set-aside'))).toHaveLength(1)
})
