/**
 * Gives back memory at once that is not needed any more. Left to the garbage collector, half a megabyte per
 * instance makes it look through the whole heap every few dozen instances.
 */

/** Small pieces are parts of something that others use, and not worth it. */
const smallestBytes = 16 * 1024

/** Frees the pieces that own all of their memory; nobody may look at any of them afterwards. */
export function freeMemory(pieces: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of pieces) {
    const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    // A detached buffer has no bytes: its memory went with those that moved, and are dropped here.
    if (isOwn && byteLength >= smallestBytes) buffer.transfer(0)
  }
}
