/**
 * Files whose rows are gone: unlinked after the deletion was committed, forgotten after they were unlinked.
 */
import { messageOf } from '../errors.ts'
import type { ReachPoint } from '../lib/crash-point.ts'
import type { Log } from '../log.ts'
import type { Storage } from './storage.ts'

/** What a store keeps of it. */
export interface TrashList {
  trash(limit: number): Promise<readonly string[]>
  forgetTrash(files: readonly string[]): Promise<void>
}

export interface Trash {
  /** Unlinks what waits. Resolves when nothing does; a failure is logged and left for the next time. */
  takeOut(): Promise<void>
}

const batch = 500

export function openTrash(
  list: TrashList,
  storage: Pick<Storage, 'unlink'>,
  log: Log,
  reach: ReachPoint,
): Trash {
  let running: Promise<void> | null = null
  let again = false
  const run = async () => {
    try {
      for (let files = await list.trash(batch); files.length > 0; files = await list.trash(batch)) {
        await Promise.all(files.map((file) => storage.unlink(file)))
        reach('file-unlinked')
        await list.forgetTrash(files)
      }
    } catch (error) {
      log.error(
        { reason: messageOf(error) },
        'Files of deleted instances could not be removed; trying again later',
      )
    }
  }
  const runUntilQuiet = async (): Promise<void> => {
    do {
      again = false
      await run()
    } while (again)
    running = null
  }
  const takeOut = (): Promise<void> => {
    again = true
    running ??= runUntilQuiet()
    return running
  }
  return { takeOut }
}
