import { randomFillSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { wholeBlocks } from '../../src/lib/direct-write.ts'
import { SyncedFile, WriteWindow } from '../../src/lib/synced-file.ts'
import { temporaryFolder } from '../support/folders.ts'
import { cachedDisk, canMount } from '../support/small-disk.ts'

const random = (bytes: number) => randomFillSync(new Uint8Array(bytes))

describe('a file whose writes are synced', () => {
  for (const isCached of [false, true]) {
    it(`has what was written, and zeros to the end of the block${isCached ? ', through the cache, too' : ''}`, async () => {
      using folder = temporaryFolder()
      const path = join(folder.path, 'file')
      const window = new WriteWindow()
      window.isOfNoUse ||= isCached
      const file = new SyncedFile(path, window)
      const groups = [
        [random(1), random(24), random(5_000)],
        [random(4096)],
        [random(3_000_000), new Uint8Array(), random(3_000_000), random(7)],
        Array.from({ length: 2_500 }, () => random(10)),
      ]
      let at = 0
      for (const pieces of groups) {
        await file.write(pieces, at)
        const wanted = Buffer.concat(pieces)
        const end = at + wholeBlocks(wanted.length)
        const found = readFileSync(path).subarray(at, end)
        expect(found.subarray(0, wanted.length).equals(wanted)).toBe(true)
        expect(found.subarray(wanted.length).every((byte) => byte === 0)).toBe(true)
        expect(found.length).toBe(end - at)
        at = end
      }
      await file.write([random(10)], 0)
      expect(readFileSync(path).length).toBe(at)
      file.close()
    })
  }

  it('goes through the cache from the first write on that the disk takes no other way', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'file')
    writeFileSync(path, 'before')
    const window = new WriteWindow()
    const file = new SyncedFile(path, window)
    const wanted = random(6_000)
    await file.write([wanted], 6)
    expect(window.isOfNoUse).toBe(true)
    const found = readFileSync(path)
    expect(found.subarray(0, 6).toString()).toBe('before')
    expect(found.subarray(6, 6_006).equals(wanted)).toBe(true)
    file.close()
  })

  it.skipIf(!canMount)(
    'goes through the cache where nothing goes past it (needs the right to mount)',
    async () => {
      using disk = cachedDisk()
      const window = new WriteWindow()
      const file = new SyncedFile(join(disk.path, 'file'), window)
      const wanted = random(10_000)
      await file.write([wanted.subarray(0, 9), wanted.subarray(9)], 4096)
      expect(window.isOfNoUse).toBe(true)
      expect(readFileSync(join(disk.path, 'file')).subarray(4096, 14_096).equals(wanted)).toBe(true)
      file.close()
    },
  )

  it('says what the disk says', async () => {
    const file = new SyncedFile('/dev/full', new WriteWindow())
    await expect(file.write([random(10)], 0)).rejects.toMatchObject({ code: 'ENOSPC' })
    file.close()
  })
})
