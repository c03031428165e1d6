/**
 * One process at a time has the data folder. The lock is the operating system's, held through an exclusive
 * SQLite transaction on a small file, so that it is gone the moment its holder is.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { fault, isSystemError, messageOf } from '../../errors.ts'

/**
 * @returns the function that gives the lock back
 * @throws `data-folder` if another process has it, or the folder cannot be written
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'lock')
  let lock: Database.Database | null = null
  try {
    lock = new Database(file, { timeout: 0 })
    lock.pragma('journal_mode = memory')
    lock.exec('begin exclusive')
    return () => lock?.close()
  } catch (cause) {
    lock?.close()
    if (isSystemError(cause, 'SQLITE_BUSY', 'SQLITE_LOCKED')) {
      throw fault(
        'data-folder',
        `The data folder "${folder}" is in use by another server: stop that one, or choose another with --data`,
        { cause },
      )
    }
    throw fault(
      'data-folder',
      `The data folder "${folder}" cannot be written: ${messageOf(cause)}; give the server's user the right to, or choose another with --data`,
      { cause },
    )
  }
}
