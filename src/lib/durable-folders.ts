/** Folders whose names outlive a power cut. What ends in `Now` waits for the disk. */
import { close, closeSync, fsync, fsyncSync, open, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { makeFolders, makeFoldersNow } from './make-folders.ts'

/** Makes the folder and the missing ones above it; the name of each is durable when it returns. */
export function makeFolderNow(path: string, mode: number): void {
  for (const made of makeFoldersNow(path, mode).reverse()) syncFolderNow(dirname(made))
}

/** The same, for the event loop. */
export async function makeFolder(path: string): Promise<void> {
  for (const made of (await makeFolders(path)).reverse()) await syncFolder(dirname(made))
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
