/**
 * Makes a folder with all that are missing above it. The `recursive` of Node does not end where a file system
 * says that what is there is missing, as /proc does.
 */
import { mkdirSync, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isSystemError } from '../errors.ts'

/** @returns the folders that were made, the uppermost first. @throws what the file system says */
export function makeFoldersNow(path: string, mode?: number): string[] {
  const folder = resolve(path)
  const make = (missing: string) => mkdirSync(missing, { mode })
  try {
    make(folder)
    return [folder]
  } catch (thrown) {
    if (isFolderNow(folder)) return []
    if (!isSystemError(thrown, 'ENOENT') || dirname(folder) === folder) throw thrown
  }
  const above = makeFoldersNow(dirname(folder), mode)
  try {
    make(folder)
    return [...above, folder]
  } catch (thrown) {
    // Somebody else can have been faster.
    if (isFolderNow(folder)) return above
    throw thrown
  }
}

/** The same, for the event loop. */
export async function makeFolders(path: string): Promise<string[]> {
  const folder = resolve(path)
  try {
    await mkdir(folder)
    return [folder]
  } catch (thrown) {
    if (await isFolder(folder)) return []
    if (!isSystemError(thrown, 'ENOENT') || dirname(folder) === folder) throw thrown
  }
  const above = await makeFolders(dirname(folder))
  try {
    await mkdir(folder)
    return [...above, folder]
  } catch (thrown) {
    if (await isFolder(folder)) return above
    throw thrown
  }
}

function isFolderNow(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
