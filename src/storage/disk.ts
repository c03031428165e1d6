/** The few system calls of the storage. They wait for the disk, so they belong to the storage's own thread. */
import { closeSync, fdatasyncSync, openSync, unlinkSync, writevSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isSystemError } from '../errors.ts'
import type { ReachPoint } from '../lib/crash-point.ts'

/** The system takes no more pieces in one call (`IOV_MAX`). */
const mostPiecesAtOnce = 1024

/** Writes a new file and makes its bytes durable. What is left of one that fails, the caller unlinks. */
export function writeFile(path: string, pieces: readonly Uint8Array[], reach: ReachPoint): void {
  const descriptor = openSync(path, 'wx')
  try {
    writePieces(descriptor, pieces)
    reach('file-written')
    fdatasyncSync(descriptor)
    reach('file-synced')
  } finally {
    closeSync(descriptor)
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
