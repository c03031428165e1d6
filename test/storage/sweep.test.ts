/** The sweep at start: what a crash left without a row goes, everything else stays. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { openTestStorage, storedFiles } from '../support/test-storage.ts'

const bytes = Buffer.from('some bytes')

/** Notes which files were asked about, and says of all but `named` that no row names them. */
function rowsFor(...named: string[]) {
  const asked: string[] = []
  const findOrphans = async (files: readonly string[]) => {
    asked.push(...files)
    return files.filter((file) => !named.includes(file))
  }
  return { asked, findOrphans }
}

test('after a crash, files of earlier runs that no row names are removed, and no others', async () => {
  using folder = temporaryFolder()
  await using crashed = await openTestStorage(folder.path, { filesPerFolder: 2 })
  const files: string[] = []
  for (let number = 0; number < 5; number++) files.push(await crashed.write([bytes]))
  const [first, , third] = files as [string, string, string]
  crashed.keep(first)
  await using storage = await openTestStorage(folder.path)
  const own = await storage.write([bytes])
  const { asked, findOrphans } = rowsFor(first, third)
  expect(await storage.sweep(findOrphans)).toBe(3)
  expect(asked.sort()).toEqual([...files].sort())
  expect(storedFiles(folder.path)).toEqual([first, third, own].sort())
})

test('a file that was brought back into a folder that had been empty is looked at, too', async () => {
  using folder = temporaryFolder()
  await using crashed = await openTestStorage(folder.path)
  const { file } = await crashed.prepare([bytes])
  // The folder is taken over, since nothing of the file had reached it.
  await using storage = await openTestStorage(folder.path)
  await storage.restore(file, bytes)
  const own = await storage.write([bytes])
  expect(own.split('/')[0]).toBe(file.split('/')[0])
  const { asked, findOrphans } = rowsFor()
  expect(await storage.sweep(findOrphans)).toBe(1)
  expect(asked).toEqual([file])
  expect(storedFiles(folder.path)).toEqual([own])
})

test('after a clean end only the folders are looked at in which something was left undecided', async () => {
  using folder = temporaryFolder()
  const kept: string[] = []
  {
    await using storage = await openTestStorage(folder.path, { filesPerFolder: 2 })
    await storage.sweep(async () => [])
    for (let number = 0; number < 5; number++) kept.push(await storage.write([bytes]))
    for (const file of kept) storage.keep(file)
  }
  await using storage = await openTestStorage(folder.path)
  const { asked, findOrphans } = rowsFor()
  expect(await storage.sweep(findOrphans)).toBe(0)
  expect(asked).toEqual([])
  expect(storedFiles(folder.path)).toEqual([...kept].sort())
})

test('a file that is neither kept nor removed keeps its folder and those after it to be swept', async () => {
  using folder = temporaryFolder()
  const files: string[] = []
  {
    await using storage = await openTestStorage(folder.path, { filesPerFolder: 1 })
    await storage.sweep(async () => [])
    for (let number = 0; number < 4; number++) files.push(await storage.write([bytes]))
    const [first, , third, fourth] = files as [string, string, string, string]
    for (const file of [first, third, fourth]) storage.keep(file)
  }
  const [first, second, third, fourth] = files as [string, string, string, string]
  await using storage = await openTestStorage(folder.path)
  const { asked, findOrphans } = rowsFor(first, third, fourth)
  expect(await storage.sweep(findOrphans)).toBe(1)
  expect(asked).not.toContain(first)
  expect(asked).toEqual(expect.arrayContaining([second, third, fourth]))
  expect(storedFiles(folder.path)).toEqual([first, third, fourth].sort())
})

test('a sweep that fails removes nothing, and the next run sweeps the same folders', async () => {
  using folder = temporaryFolder()
  await using crashed = await openTestStorage(folder.path)
  const left = await crashed.write([bytes])
  {
    await using storage = await openTestStorage(folder.path)
    const sweep = storage.sweep(async () => {
      throw new Error('The database is gone')
    })
    await expect(sweep).rejects.toThrow('The database is gone')
    expect(storedFiles(folder.path)).toEqual([left])
  }
  await using storage = await openTestStorage(folder.path)
  expect(await storage.sweep(rowsFor().findOrphans)).toBe(1)
  expect(storedFiles(folder.path)).toEqual([])
})

test('what others put into the folder is neither asked about nor removed', async () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'notes'))
  mkdirSync(join(folder.path, '123'))
  const others = ['notes/a.txt', '123/b', 'c.txt']
  for (const path of others) writeFileSync(join(folder.path, path), '')
  await using storage = await openTestStorage(folder.path)
  const { asked, findOrphans } = rowsFor()
  await storage.sweep(findOrphans)
  expect(asked).toEqual([])
})
