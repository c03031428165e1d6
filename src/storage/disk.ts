/** The few system calls of the storage. They wait for the disk, so they belong to the storage's own thread. */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isSystemError } from '../errors.ts'

/** Makes the bytes of a file durable; one that is gone meanwhile is no error. */
export function syncFile(path: string): void {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return
    throw thrown
  }
  try {
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Makes a file have these bytes, durably; one that has them is only synced. */
export function restoreFile(path: string, bytes: Uint8Array): void {
  if (!hasBytes(path, bytes)) writeFileSync(path, bytes)
  syncFile(path)
}

function hasBytes(path: string, bytes: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(bytes)
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return false
    throw thrown
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder: FileHandle = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
