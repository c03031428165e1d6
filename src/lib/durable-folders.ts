/** Folders whose names outlive a power cut. What ends in `Now` waits for the disk. */
import { close, closeSync, fsync, fsyncSync, mkdirSync, open, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'

/** Makes the folder and the missing ones above it; the name of each is durable when it returns. */
export function makeFolderNow(path: string, mode: number): void {
  // Without `..` and the like, the first folder made is on the way up from the last.
  const last = resolve(path)
  const first = mkdirSync(last, { recursive: true, mode })
  for (const made of madeFolders(first, last)) syncFolderNow(dirname(made))
}

/** The same, for the event loop. */
export async function makeFolder(path: string): Promise<void> {
  const last = resolve(path)
  const first = await mkdir(last, { recursive: true })
  for (const made of madeFolders(first, last)) await syncFolder(dirname(made))
}

function* madeFolders(first: string | undefined, last: string): Generator<string> {
  if (first === undefined) return
  for (let made = last; ; made = dirname(made)) {
    yield made
    if (made === first) return
  }
}

/** Makes the names in a folder durable. */
export function syncFolderNow(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

// Descriptors, not file handles: those cost twice as much, and every large instance syncs a folder.
const openFolder = promisify(open)
const closeFolder = promisify(close)
const syncDescriptor = promisify(fsync)

/** The same, for the event loop. */
export async function syncFolder(folder: string): Promise<void> {
  const descriptor = await openFolder(folder, 'r')
  try {
    await syncDescriptor(descriptor)
  } finally {
    await closeFolder(descriptor)
  }
}
