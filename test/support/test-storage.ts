/** A storage in a folder, and what lies in the folder, seen without the storage's help. */
import { readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createLog } from '../../src/log.ts'
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/storage.ts'

export function openTestStorage(root: string, more: Partial<StorageOptions> = {}): Promise<Storage> {
  return openStorage(root, { log: createLog('silent'), ...more })
}

/** The files in the numbered folders, as the storage names them, sorted. */
export function storedFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => /^\d{8}\//.test(path))
    .sort()
}

/** Sizes of the stored files, by their names. */
export function storedSizes(root: string): Record<string, number> {
  return Object.fromEntries(storedFiles(root).map((file) => [file, statSync(join(root, file)).size]))
}
