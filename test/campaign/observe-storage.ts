/** Lists every file below the storage folder, whatever its name. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { datasetOf, sha256 } from './history.ts'

export interface StoredFile {
  /** Relative to the storage folder. */
  readonly file: string
  readonly size: number
  readonly digest: string
  readonly dataset: string
}

const storageFolder = 'files'

/** Notes of the storage itself: from which folder on it has to look for files without a row. */
const notes = ['unswept-from', 'unswept-from.new']

/** @param data the data folder */
export function readStorage(data: string): StoredFile[] {
  const folder = join(data, storageFolder)
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !notes.includes(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const bytes = readFileSync(path)
      return {
        file: relative(folder, path),
        size: bytes.length,
        digest: sha256(bytes),
        dataset: bytes.length > 144 ? sha256(datasetOf(bytes)) : '',
      }
    })
}
