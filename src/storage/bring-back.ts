/** After a crash: brings back the files of which a store kept the bytes, and then its rows. */
import type { Storage } from './storage.ts'

/** What a store keeps of them. */
export interface KeptFiles {
  keptFiles(after: number): Promise<readonly { number: number; file: string; bytes: Uint8Array }[]>
  restoreRows(): Promise<void>
}

/** @returns how many files were looked after */
export async function bringBack(store: KeptFiles, storage: Pick<Storage, 'restore'>): Promise<number> {
  let count = 0
  let last = 0
  for (;;) {
    const files = await store.keptFiles(last)
    if (files.length === 0) break
    await Promise.all(files.map(({ file, bytes }) => storage.restore(file, bytes)))
    count += files.length
    last = files.at(-1)!.number
  }
  await store.restoreRows()
  return count
}
