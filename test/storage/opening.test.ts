/** Opening a storage: where it may be, and what it finds there. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { canMount, smallDisk } from '../support/small-disk.ts'
import { openTestStorage, storedFiles } from '../support/test-storage.ts'

const bytes = Buffer.from('some bytes')

test('the folder is made, with those above it', async () => {
  using folder = temporaryFolder()
  const root = join(folder.path, 'some', 'where', 'files')
  await using storage = await openTestStorage(root)
  expect(storedFiles(root)).toEqual([])
  const file = await storage.write([bytes])
  expect(existsSync(join(root, file))).toBe(true)
})

test('what an earlier run kept is still there, and is never written over', async () => {
  using folder = temporaryFolder()
  const kept: string[] = []
  for (let run = 0; run < 4; run++) {
    await using storage = await openTestStorage(folder.path)
    for (const file of kept) expect(await storage.read(file)).toEqual(bytes)
    const file = await storage.write([bytes])
    storage.keep(file)
    kept.push(file)
  }
  expect(storedFiles(folder.path)).toEqual([...kept].sort())
})

test('a run that wrote nothing leaves no folder behind it for ever', async () => {
  using folder = temporaryFolder()
  for (let run = 0; run < 5; run++) await (await openTestStorage(folder.path)).close()
  expect(readdirSync(folder.path).filter((name) => /^\d{8}$/.test(name))).toHaveLength(1)
})

test('a file in the place of the folder is named, with what is wrong', async () => {
  using folder = temporaryFolder()
  const root = join(folder.path, 'files')
  writeFileSync(root, '')
  for (const path of [root, join(root, 'below')]) {
    await expect(openTestStorage(path)).rejects.toMatchObject({
      code: 'data-folder',
      message: expect.stringContaining(`"${path}"`),
    })
  }
})

test.skipIf(!canMount)('a folder that may not be written is named (needs to mount a disk)', async () => {
  using disk = smallDisk({ sizeBytes: 1024 * 1024 })
  const root = join(disk.path, 'files')
  mkdirSync(root)
  disk.makeReadOnly()
  await expect(openTestStorage(root)).rejects.toMatchObject({
    code: 'data-folder',
    message: expect.stringContaining(`"${root}"`),
  })
})
