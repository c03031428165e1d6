/** After a crash: brings back the files of which a store kept the bytes, and then its rows. */
import type { Log } from '../log.ts'
import { type KeptFile, keptPages } from './kept-pages.ts'
import type { Storage } from './storage.ts'

/** What a store keeps of them. */
export interface KeptFiles {
  keptFiles(after: number): Promise<readonly KeptFile[]>
  restoreRows(
    isThere: (file: string) => Promise<boolean>,
  ): Promise<readonly { file: string; reason: string }[]>
}

/** @returns how many files were looked after */
export async function bringBack(
  store: KeptFiles,
  storage: Pick<Storage, 'restore' | 'has' | 'setAside'>,
  log: Log,
): Promise<number> {
  let count = 0
  for await (const files of keptPages((after) => store.keptFiles(after))) {
    await Promise.all(files.map(({ file, bytes }) => storage.restore(file, bytes)))
    count += files.length
  }
  const unrecorded = await store.restoreRows((file) => storage.has(file))
  for (const { file, reason } of unrecorded) await setAside(storage, file, reason, log)
  return count
}

/** An instance was answered as stored and can have no rows: its file stays, where somebody can look at it. */
export async function setAside(
  storage: Pick<Storage, 'setAside'>,
  file: string,
  reason: string,
  log: Log,
): Promise<void> {
  const path = await storage.setAside(file)
  log.error({ path, reason }, 'An instance could not be indexed; its file was set aside: send it again')
}
