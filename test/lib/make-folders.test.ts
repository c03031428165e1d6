/** Folders are made with all that are missing above them, and what cannot be made is an error that comes at once. */
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolders, makeFoldersNow } from '../../src/lib/make-folders.ts'
import { temporaryFolder } from '../support/folders.ts'

describe.each([
  ['makeFoldersNow', async (path: string) => makeFoldersNow(path)],
  ['makeFolders', makeFolders],
])('%s', (_, make) => {
  it('makes what is missing, and says what that was', async () => {
    using folder = temporaryFolder()
    const [a, b, c] = ['a', 'a/b', 'a/b/c'].map((name) => join(folder.path, name))
    expect(await make(`${folder.path}/./a/x/../b/c/`)).toEqual([a, b, c])
    expect(await make(c!)).toEqual([])
    expect(statSync(c!).isDirectory()).toBe(true)
  })

  it('many at once make each folder once', async () => {
    using folder = temporaryFolder()
    const paths = Array.from({ length: 8 }, (_each, index) => join(folder.path, 'a/b', String(index % 2)))
    const made = (await Promise.all(paths.map(make))).flat()
    expect(made.sort()).toEqual(['a', 'a/b', 'a/b/0', 'a/b/1'].map((name) => join(folder.path, name)))
  })

  it('a file in its place, or above it, is an error', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'file'), '')
    await expect(make(join(folder.path, 'file'))).rejects.toThrow(/EEXIST/)
    await expect(make(join(folder.path, 'file/a/b'))).rejects.toThrow(/ENOTDIR/)
  })

  it.skipIf(!existsSync('/proc/self'))('a file system that can have no folder is an error', async () => {
    await expect(make('/proc/onstable/data')).rejects.toThrow(/ENOENT/)
  })
})

it('the folders get the mode that is wanted', () => {
  using folder = temporaryFolder()
  for (const made of makeFoldersNow(join(folder.path, 'a/b'), 0o750)) {
    expect(statSync(made).mode & 0o777).toBe(0o750)
  }
})
