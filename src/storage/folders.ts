/**
 * The numbered folders of the storage, and the mark that says from which one on there may be files that
 * no row names.
 */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'
import { syncFolder } from '../lib/durable-folders.ts'

export const folderName = (number: number) => String(number).padStart(8, '0')

/** Makes one numbered folder under the root, if it is not there. */
export async function makeNumbered(root: string, number: number): Promise<void> {
  try {
    await mkdir(join(root, folderName(number)))
  } catch (thrown) {
    if (!isSystemError(thrown, 'EEXIST')) throw thrown
  }
  await syncFolder(root)
}

/** Numbers of the folders that are there, rising. */
export async function numberedFolders(root: string): Promise<number[]> {
  const names = await readdir(root)
  return names
    .filter((name) => /^\d{8}$/.test(name))
    .map(Number)
    .sort((left, right) => left - right)
}

/** Names of the files of a numbered folder, as the storage gives them out. */
export async function filesOf(root: string, number: number): Promise<string[]> {
  const names = await readdir(join(root, folderName(number)))
  return names.map((name) => `${folderName(number)}/${name}`)
}

const markName = 'unswept-from'

/** The first folder that may hold files without a row; 0 if nothing says so. */
export async function readMark(root: string): Promise<number> {
  try {
    const text = await readFile(join(root, markName), 'utf8')
    return /^\d{8}$/.test(text) ? Number(text) : 0
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return 0
    throw thrown
  }
}

/** An old mark that comes back after a power cut only makes the next sweep longer, so it is not synced. */
export async function writeMark(root: string, number: number): Promise<void> {
  const path = join(root, markName)
  await writeFile(`${path}.new`, folderName(number))
  await rename(`${path}.new`, path)
}
