/** The storage through its door: what was written is there, whole, under the name that was given. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { openTestStorage, storedFiles } from '../support/test-storage.ts'

/** Bytes of which no two neighbours are alike. */
const bytesOf = (length: number, start = 0) =>
  Buffer.from(Array.from({ length }, (_, at) => (start + at * 7) % 251))

const inPieces = (bytes: Buffer, pieceBytes: number) =>
  Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, number) =>
    bytes.subarray(number * pieceBytes, (number + 1) * pieceBytes),
  )

const nothing = Buffer.alloc(0)
const sameTwice = bytesOf(200_000)
const contents: [string, Buffer[]][] = [
  ['one chunk', [bytesOf(1_000)]],
  [
    'chunks that are empty, also first and last',
    [nothing, bytesOf(10), nothing, nothing, bytesOf(5), nothing],
  ],
  ['more chunks than the system takes in one call', inPieces(bytesOf(20_000), 7)],
  ['chunks that are views of a larger buffer', inPieces(bytesOf(4_000).subarray(13, 3_999), 100)],
  ['a chunk of many megabytes', [bytesOf(6 * 1024 * 1024)]],
  ['whole blocks of the disk', [bytesOf(64 * 1024)]],
  ['a byte more than blocks of the disk', [bytesOf(70_000), bytesOf(24 * 4096 - 70_000 + 1)]],
  ['a megabyte, which is written at once', inPieces(bytesOf(1024 * 1024), 65_536)],
  ['a byte more than is written at once', inPieces(bytesOf(1024 * 1024 + 1), 100_000)],
  ['large chunks, with the same one twice', [sameTwice, bytesOf(10), sameTwice]],
  ['no byte at all', [nothing]],
  ['no chunk at all', []],
]

test.each(contents)('a file of %s has exactly the bytes that were given', async (_, chunks) => {
  using folder = temporaryFolder()
  await using storage = await openTestStorage(folder.path)
  const expected = Buffer.concat(chunks)
  const file = await storage.write(chunks)
  expect(readFileSync(join(folder.path, file)).equals(expected)).toBe(true)
  expect((await storage.read(file)).equals(expected)).toBe(true)
  expect((await buffer(storage.stream(file))).equals(expected)).toBe(true)
})

test('files that are written at once get names of their own, and each its own bytes', async () => {
  using folder = temporaryFolder()
  await using storage = await openTestStorage(folder.path)
  const contents = Array.from({ length: 60 }, (_, number) => bytesOf(2_000 + number, number))
  const files = await Promise.all(contents.map((bytes) => storage.write([bytes])))
  expect(storedFiles(folder.path)).toEqual([...files].sort())
  for (const [number, file] of files.entries()) {
    expect(readFileSync(join(folder.path, file)).equals(contents[number]!)).toBe(true)
  }
})

test('a file that is removed is gone, whether it was kept or not, and one that is gone is no error', async () => {
  using folder = temporaryFolder()
  await using storage = await openTestStorage(folder.path)
  const [removed, kept, other] = [
    await storage.write([bytesOf(10)]),
    await storage.write([bytesOf(20)]),
    await storage.write([bytesOf(30)]),
  ]
  storage.keep(kept)
  storage.keep(other)
  await storage.remove(removed)
  await storage.unlink(kept)
  expect(storedFiles(folder.path)).toEqual([other])
  await storage.unlink(kept)
  await expect(storage.read(kept)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a name that the storage never gave reaches no file', async () => {
  using folder = temporaryFolder()
  await using storage = await openTestStorage(folder.path)
  const file = await storage.write([bytesOf(10)])
  const names = [
    '',
    '/etc/hostname',
    '../x',
    `${file}/../../x`,
    '00000001/../../x',
    `./${file}`,
    '00000001',
    'x/y',
  ]
  for (const name of names) {
    await expect(storage.read(name), name).rejects.toMatchObject({ code: 'internal' })
    await expect(storage.unlink(name), name).rejects.toMatchObject({ code: 'internal' })
    await expect(storage.remove(name), name).rejects.toMatchObject({ code: 'internal' })
    expect(() => storage.stream(name), name).toThrow(/is no name of a stored file/)
  }
  expect(storedFiles(folder.path)).toEqual([file])
})

test('a folder that has its number of files is followed by a new one', async () => {
  using folder = temporaryFolder()
  await using storage = await openTestStorage(folder.path, { filesPerFolder: 3 })
  for (let number = 0; number < 4; number++) await storage.write([bytesOf(10)])
  await Promise.all(Array.from({ length: 7 }, () => storage.write([bytesOf(10)])))
  const folders = storedFiles(folder.path).map((file) => file.split('/')[0]!)
  const counts = Map.groupBy(folders, (name) => name)
  expect([...counts.values()].map((files) => files.length)).toEqual([3, 3, 3, 2])
})

test('a write that fails says so, and leaves nothing behind', async () => {
  using folder = temporaryFolder()
  const storage = await openTestStorage(folder.path)
  const { 0: current } = (await storage.write([bytesOf(10)])).split('/')
  rmSync(join(folder.path, current!), { recursive: true })
  await expect(storage.write([bytesOf(10)])).rejects.toThrow()
  expect(storedFiles(folder.path)).toEqual([])
  await storage.close()
})
