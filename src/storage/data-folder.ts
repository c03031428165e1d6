/** The folder of everything that is kept. */
import { fault, messageOf } from '../errors.ts'
import { makeFolderNow } from '../lib/durable-folders.ts'

/** @throws `data-folder` */
export function makeDataFolder(folder: string): void {
  try {
    makeFolderNow(folder, 0o750)
  } catch (cause) {
    throw fault(
      'data-folder',
      `The data folder "${folder}" cannot be made: ${messageOf(cause)}; choose another with --data, or give the server's user the right to`,
      { cause },
    )
  }
}
