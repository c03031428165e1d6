/** Syncing a whole file system: only where its success says that everything is on the disk. */
import { existsSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { syncFileSystemOf } from '../../src/lib/file-system-sync.ts'
import { temporaryFolder } from '../support/folders.ts'

const ext4 = 0xef53

it.skipIf(process.platform !== 'linux' || statfsSync(tmpdir()).type !== ext4)(
  'a file system of a known type is synced (needs ext4)',
  () => {
    using folder = temporaryFolder()
    expect(syncFileSystemOf(folder.path)).toBe(true)
  },
)

it.skipIf(!existsSync('/dev/shm'))(
  'one of another type is not: its files are to be synced by themselves',
  () => {
    expect(syncFileSystemOf('/dev/shm')).toBe(false)
  },
)

it('a folder that is not there is an error', () => {
  using folder = temporaryFolder()
  expect(() => syncFileSystemOf(`${folder.path}/missing`)).toThrow(/ENOENT/)
})
