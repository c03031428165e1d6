/** A disk that is full: nothing half written, a clear error, and all is well when there is room again. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canMount, smallDisk } from '../support/small-disk.ts'
import { openTestStorage, storedSizes } from '../support/test-storage.ts'

const full = expect.objectContaining({
  code: 'storage-full',
  message: 'The disk of the DICOM files is full: make room, then send again',
})

test.skipIf(!canMount)(
  'a write to a full disk leaves nothing, and works when there is room (needs to mount a disk)',
  async () => {
    using disk = smallDisk({ sizeBytes: 1024 * 1024 })
    const root = join(disk.path, 'files')
    await using storage = await openTestStorage(root)
    const small = await storage.write([Buffer.alloc(100_000, 1)])
    storage.keep(small)
    await expect(storage.write([Buffer.alloc(2_000_000, 2)])).rejects.toEqual(full)
    expect(storedSizes(root)).toEqual({ [small]: 100_000 })

    disk.fill()
    await expect(storage.write([Buffer.alloc(10_000, 3)])).rejects.toEqual(full)
    expect(storedSizes(root)).toEqual({ [small]: 100_000 })

    disk.makeRoom()
    const later = await storage.write([Buffer.alloc(500_000, 4)])
    expect(storedSizes(root)).toEqual({ [small]: 100_000, [later]: 500_000 })
  },
)

test.skipIf(!canMount)(
  'of many writes at once, those that find room are whole, and the others leave nothing (needs to mount a disk)',
  async () => {
    using disk = smallDisk({ sizeBytes: 1024 * 1024 })
    const root = join(disk.path, 'files')
    await using storage = await openTestStorage(root)
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, number) => storage.write([Buffer.alloc(200_000, number)])),
    )
    const written = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(written.length).toBeLessThan(6)
    expect(refused).toEqual(refused.map(() => full))
    expect(storedSizes(root)).toEqual(Object.fromEntries(written.map((file) => [file, 200_000])))
  },
)

test.skipIf(!canMount)(
  'a disk that has room but can have no further file is full, too (needs to mount a disk)',
  async () => {
    using disk = smallDisk({ sizeBytes: 1024 * 1024, mostFiles: 5 })
    const root = join(disk.path, 'files')
    await using storage = await openTestStorage(root)
    const files = [await storage.write([Buffer.alloc(10)]), await storage.write([Buffer.alloc(10)])]
    await expect(storage.write([Buffer.alloc(10)])).rejects.toEqual(full)
    await storage.remove(files[0]!)
    expect(await storage.write([Buffer.alloc(10)])).toMatch(/^\d{8}\//)
  },
)
