/** Folders whose names outlive a power cut. */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Makes the folder and the missing ones above it; the name of each is durable when it returns. */
export function makeFolder(path: string, mode: number): void {
  // Without `..` and the like, the first folder made is on the way up from the last.
  const last = resolve(path)
  const first = mkdirSync(last, { recursive: true, mode })
  if (first === undefined) return
  for (let made = last; ; made = dirname(made)) {
    syncFolderNow(dirname(made))
    if (made === first) return
  }
}

/** Makes the names in a folder durable; waits for the disk. */
export function syncFolderNow(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
