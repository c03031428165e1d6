/** The few system calls of the storage. They wait for the disk, so they belong to the storage's own thread. */
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
  writevSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isSystemError } from '../errors.ts'
import type { ReachPoint } from '../lib/crash-point.ts'

/** The system takes no more pieces in one call (`IOV_MAX`). */
const mostPiecesAtOnce = 1024

/** Writes a new file, and makes its bytes durable if so asked. What is left of one that fails, the caller unlinks. */
export function writeFile(
  path: string,
  pieces: readonly Uint8Array[],
  isSynced: boolean,
  reach: ReachPoint,
): void {
  const descriptor = openSync(path, 'wx')
  try {
    writePieces(descriptor, pieces)
    reach('file-written')
    if (!isSynced) return
    fdatasyncSync(descriptor)
    reach('file-synced')
  } finally {
    closeSync(descriptor)
  }
}

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

/** A file that is gone already is no error. */
export function unlinkFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT')) throw thrown
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

function writePieces(descriptor: number, pieces: readonly Uint8Array[]): void {
  for (let next = 0; next < pieces.length; next += mostPiecesAtOnce) {
    let rest = pieces.slice(next, next + mostPiecesAtOnce).filter((piece) => piece.length > 0)
    while (rest.length > 0) rest = after(rest, writevSync(descriptor, rest))
  }
}

/** What is left when the first `written` bytes are done. */
function after(pieces: Uint8Array[], written: number): Uint8Array[] {
  let done = written
  for (const [index, piece] of pieces.entries()) {
    if (done < piece.length) return [piece.subarray(done), ...pieces.slice(index + 1)]
    done -= piece.length
  }
  return []
}
