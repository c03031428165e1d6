/**
 * Writing past the page cache of the system: from memory that begins at a page, in whole blocks, to a file that is open
 * with `O_DIRECT`.
 */
import { constants } from 'node:fs'
import { isSystemError } from '../errors.ts'

/** The flag to open with; undefined where the system knows nothing like it. */
export const direct: number | undefined = constants.O_DIRECT

/** Whether it was refused because it cannot be done here, which not every file system can. */
export const isDirectRefusal = (thrown: unknown): boolean =>
  isSystemError(thrown, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP')

// Of this the types of Node know no values.
declare const WebAssembly: { Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer } }

const unitBytes = 64 * 1024
/** What a disk writes as a whole, at the most: writes past the cache begin and end at a multiple of it. */
const blockBytes = 4096

/** An ordinary buffer begins anywhere; the memory of WebAssembly begins at a page. @param bytes a multiple of 64 KB */
export function pageAlignedBytes(bytes: number): Uint8Array {
  return new Uint8Array(new WebAssembly.Memory({ initial: bytes / unitBytes }).buffer)
}

export const wholeBlocks = (bytes: number) => Math.ceil(bytes / blockBytes) * blockBytes

/**
 * Pieces one after the other, as full windows of memory and the rest, filled up with zeros to a whole block. Each is
 * of use until the next is asked for.
 */
export function* inWindows(pieces: readonly Uint8Array[], window: Uint8Array): Generator<Uint8Array> {
  let filled = 0
  for (const piece of pieces) {
    for (let taken = 0; taken < piece.length; ) {
      const part = piece.subarray(taken, taken + window.length - filled)
      window.set(part, filled)
      filled += part.length
      taken += part.length
      if (filled < window.length) continue
      yield window
      filled = 0
    }
  }
  if (filled > 0) yield window.fill(0, filled, wholeBlocks(filled)).subarray(0, wholeBlocks(filled))
}
