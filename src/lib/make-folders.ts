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
  try {
    return makeOneNow(folder, mode)
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT') || dirname(folder) === folder) throw thrown
  }
  return [...makeFoldersNow(dirname(folder), mode), ...makeOneNow(folder, mode)]
}

/** The same, for the event loop. */
export async function makeFolders(path: string): Promise<string[]> {
  const folder = resolve(path)
  try {
    return await makeOne(folder)
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT') || dirname(folder) === folder) throw thrown
  }
  return [...(await makeFolders(dirname(folder))), ...(await makeOne(folder))]
}

/** @returns nothing if it is there: somebody else can have been faster */
function makeOneNow(folder: string, mode?: number): string[] {
  try {
    mkdirSync(folder, { mode })
    return [folder]
  } catch (thrown) {
    if (isFolderNow(folder)) return []
    throw thrown
  }
}

async function makeOne(folder: string): Promise<string[]> {
  try {
    await mkdir(folder)
    return [folder]
  } catch (thrown) {
    if (await isFolder(folder)) return []
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
