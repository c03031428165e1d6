/**
 * Gives back memory at once that is not needed any more. Left to the garbage collector, half a megabyte per
 * instance makes it look through the whole heap every few dozen instances.
 */

/** Small pieces are parts of something that others use, and not worth it. */
const smallestBytes = 16 * 1024

/** Whether nobody else's bytes lie in the same memory, so that it can be given away. */
export function ownsItsMemory({ buffer, byteLength }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
}

/** Frees the pieces that own all of their memory; nobody may look at any of them afterwards. */
export function freeMemory(pieces: readonly Uint8Array[]): void {
  for (const piece of pieces) {
    // What was freed before has no bytes left, and is passed over.
    if (piece.byteLength >= smallestBytes && ownsItsMemory(piece)) (piece.buffer as ArrayBuffer).transfer(0)
  }
}
