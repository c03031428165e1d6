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
    // What was freed before has no bytes left, and is passed over.
    if (isOwn && byteLength >= smallestBytes) buffer.transfer(0)
  }
}
