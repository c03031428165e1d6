/** Real DICOM files that lie beside the project on some machines; none elsewhere. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './source-files.ts'

export const realFilesFolder = join(root, '../shared/data/dicom')

export interface RealFile {
  /** Relative to the folder. */
  readonly name: string
  readonly path: string
  readonly bytes: Buffer
}

/** In the order of their names: those of one patient come one after the other. */
export function realFiles(): RealFile[] {
  return readdirSync(realFilesFolder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: relative(realFilesFolder, path), path, bytes: readFileSync(path) }))
}
