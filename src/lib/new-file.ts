/** New files, written by a thread that may wait for the disk. */
import { closeSync, fdatasyncSync, openSync, unlinkSync, writevSync } from 'node:fs'
import { fault, isSystemError } from '../errors.ts'
import type { ReachPoint } from './crash-point.ts'

/** The system takes no more pieces in one call (`IOV_MAX`). */
const mostPiecesAtOnce = 1024

/** Writes a new file, and makes its bytes durable if so asked. What is left of one that fails, the caller unlinks. */
export function writeNewFile(
  path: string,
  pieces: readonly Uint8Array[],
  { isSynced, reach }: { readonly isSynced: boolean; readonly reach: ReachPoint },
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

/** A file that is gone already is no error. */
export function unlinkFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT')) throw thrown
  }
}

/** Throws what a write of a DICOM file threw, with advice if the disk is full. */
export function refuseFullDisk(cause: unknown): never {
  if (isSystemError(cause, 'ENOSPC', 'EDQUOT')) {
    throw fault('storage-full', 'The disk of the DICOM files is full: make room, then send again', { cause })
  }
  throw cause
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
