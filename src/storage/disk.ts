/**
 * The few system calls of the storage, as promises over Node's callbacks: at thousands of files a second
 * they cost half of what file handles cost. Several files at once share the commits of the file system.
 */
import fs from 'node:fs'
import { stat, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { isSystemError } from '../errors.ts'
import { makeFolders } from '../lib/make-folders.ts'

export const openFile = promisify(fs.open)
export const closeFile = promisify(fs.close)
export const syncDescriptor = promisify(fs.fsync)
const syncData = promisify(fs.fdatasync)

/** Makes the bytes of a file durable; one that is gone meanwhile is no error. */
export async function syncFile(path: string): Promise<void> {
  const descriptor = await unlessMissing(openFile(path, 'r'))
  if (descriptor === null) return
  try {
    await syncData(descriptor)
  } finally {
    await closeFile(descriptor)
  }
}

/**
 * Makes a file have these bytes, durably. They are written even if it shows them already: after a sync that
 * failed, they need not be on the disk.
 */
export async function restoreFile(path: string, bytes: Uint8Array): Promise<void> {
  await makeFolders(dirname(path))
  await writeFile(path, bytes)
  await syncFile(path)
}

/** Writes the bytes of a file once more; one that is gone meanwhile stays gone. The caller syncs it. */
export async function rewriteFile(path: string, bytes: Uint8Array): Promise<void> {
  await unlessMissing(writeFile(path, bytes, { flag: 'r+' }))
}

export async function isThere(path: string): Promise<boolean> {
  return (await unlessMissing(stat(path))) !== null
}

/** A file that is gone already is no error. */
export async function unlinkFile(path: string): Promise<void> {
  await unlessMissing(unlink(path))
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return null
    throw thrown
  }
}
