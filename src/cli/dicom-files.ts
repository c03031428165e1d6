/** The files to send. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fault, messageOf } from '../errors.ts'

/**
 * All files of these files and folders, and of the folders in them, in order of their names. What begins
 * with a dot is left out of folders.
 * @throws `bad-request` for what is not there
 */
export async function filesBelow(paths: readonly string[]): Promise<string[]> {
  const files: string[] = []
  const waiting = [...paths].reverse()
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    try {
      if ((await stat(path)).isDirectory()) {
        const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort()
        for (const name of names.reverse()) waiting.push(join(path, name))
      } else {
        files.push(path)
      }
    } catch (cause) {
      throw fault('bad-request', `Cannot read "${path}": ${messageOf(cause)}`, { cause })
    }
  }
  return files
}
