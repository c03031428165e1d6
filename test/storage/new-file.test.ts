/** Large files are written past the cache where the disk can do that, and are the same where it cannot. */
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FileWriter } from '../../src/storage/new-file.ts'
import { temporaryFolder } from '../support/folders.ts'
import { cachedDisk, canMount, smallDisk } from '../support/small-disk.ts'

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7) % 251))

/** The flags that a descriptor was opened with. */
const flagsOf = (descriptor: number) =>
  Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))![1]!, 8)

function write(writer: FileWriter, path: string, chunks: Buffer[]) {
  const file = writer.write(path, chunks)
  const isDirect = (flagsOf(file.descriptor) & constants.O_DIRECT) !== 0
  file.sync()
  closeSync(file.descriptor)
  return isDirect
}

function canWriteDirectly(folder: string): boolean {
  try {
    closeSync(openSync(join(folder, 'probe'), constants.O_CREAT | constants.O_WRONLY | constants.O_DIRECT))
    return true
  } catch {
    return false
  }
}

test.skipIf(process.platform !== 'linux')(
  'large files go past the cache, small ones through it',
  (context) => {
    using folder = temporaryFolder()
    if (!canWriteDirectly(folder.path)) context.skip('the disk of temporary files cannot')
    const writer = new FileWriter()
    for (const [length, isDirect] of [
      [65_536, true],
      [1_300_001, true],
      [65_535, false],
      [70_000, true],
    ] as const) {
      const path = join(folder.path, String(length))
      expect(write(writer, path, [bytesOf(length)])).toBe(isDirect)
      expect(readFileSync(path).equals(bytesOf(length))).toBe(true)
    }
  },
)

test.skipIf(!canMount)(
  'where the disk cannot, large files are written all the same (needs to mount a disk)',
  () => {
    using disk = cachedDisk()
    const writer = new FileWriter()
    for (const name of ['first', 'second']) {
      expect(write(writer, join(disk.path, name), [bytesOf(300_001)])).toBe(false)
      expect(readFileSync(join(disk.path, name)).equals(bytesOf(300_001))).toBe(true)
    }
  },
)

test.skipIf(!canMount)('a write that fails leaves no descriptor open (needs to mount a disk)', () => {
  using disk = smallDisk({ sizeBytes: 1024 * 1024 })
  const writer = new FileWriter()
  const free = () => {
    const descriptor = openSync(disk.path, 'r')
    closeSync(descriptor)
    return descriptor
  }
  const before = free()
  expect(() => writer.write(join(disk.path, 'large'), [bytesOf(2_000_000)])).toThrow(/ENOSPC/)
  expect(() => writer.write(join(disk.path, 'missing', 'file'), [bytesOf(100_000)])).toThrow(/ENOENT/)
  expect(free()).toBe(before)
})
