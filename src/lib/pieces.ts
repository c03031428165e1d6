/** Bytes in pieces, written without being joined. */
import { closeSync, openSync, writevSync } from 'node:fs'

/** The system takes no more pieces in one call (`IOV_MAX`). */
const mostPieces = 1024

export function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

/** Writes at a place of an open file. @throws what the disk says, and if it takes less than all */
export function writeAt(descriptor: number, pieces: readonly Uint8Array[], position: number): void {
  let at = position
  for (let next = 0; next < pieces.length; next += mostPieces) {
    const part = pieces.slice(next, next + mostPieces)
    const bytes = bytesOf(part)
    // Less than all comes only of a disk that is full or broken, and the next call says which.
    const written = writevSync(descriptor, part, at)
    if (written < bytes) writeAt(descriptor, [Buffer.concat(part).subarray(written)], at + written)
    at += bytes
  }
}

/** Writes a new file, which is not synced. What is left of one that fails, the caller removes. */
export function writeNew(path: string, pieces: readonly Uint8Array[]): void {
  const descriptor = openSync(path, 'wx')
  try {
    writeAt(descriptor, pieces, 0)
  } finally {
    closeSync(descriptor)
  }
}
