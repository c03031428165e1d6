/**
 * Writes new files from a thread that may wait for the disk. Large ones go past the page cache, straight from
 * memory to the disk: what is received is seldom read again at once, and half a megabyte in new pages of the
 * cache can cost more processor time than all that is done with it besides.
 */
import { closeSync, constants, fdatasyncSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { direct, inWindows, isDirectRefusal, pageAlignedBytes } from '../lib/direct-write.ts'
import { bytesOf, writeAt } from '../lib/pieces.ts'

/** A file that has its bytes, which are not durable yet. */
export interface NewFile {
  readonly descriptor: number
  /** Waits until the disk has its bytes and its length. */
  sync(): void
}

/** Smaller ones are as well off in the cache. */
const smallestBytes = 64 * 1024
const windowBytes = 1024 * 1024

export class FileWriter {
  /** Null: it cannot be done here, which not every file system can. */
  #window: Uint8Array | null = direct === undefined ? null : pageAlignedBytes(windowBytes)

  /** @throws what the disk says; a part of the file may be there then */
  write(path: string, chunks: readonly Uint8Array[]): NewFile {
    const bytes = bytesOf(chunks)
    if (this.#window !== null && bytes >= smallestBytes) {
      try {
        return writeDirectly(path, chunks, bytes, this.#window)
      } catch (thrown) {
        if (!isDirectRefusal(thrown)) throw thrown
        this.#window = null
      }
    }
    return writeCached(path, chunks)
  }
}

function writeCached(path: string, chunks: readonly Uint8Array[]): NewFile {
  return opened(path, constants.O_TRUNC, (descriptor) => {
    writeAt(descriptor, chunks, 0)
    return { descriptor, sync: () => fdatasyncSync(descriptor) }
  })
}

/** Through a window of memory, as often as it takes; the last block is filled up and cut off again. */
function writeDirectly(
  path: string,
  chunks: readonly Uint8Array[],
  bytes: number,
  window: Uint8Array,
): NewFile {
  return opened(path, direct!, (descriptor) => {
    let position = 0
    for (const part of inWindows(chunks, window)) {
      for (let at = 0; at < part.length; )
        at += writeSync(descriptor, part, at, part.length - at, position + at)
      position += part.length
    }
    if (position !== bytes) ftruncateSync(descriptor, bytes)
    // The length has just been changed, and a sync of the data alone need not keep that.
    return { descriptor, sync: () => fsyncSync(descriptor) }
  })
}

/** Closed again if the work throws. */
function opened(path: string, flag: number, work: (descriptor: number) => NewFile): NewFile {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | flag, 0o666)
  try {
    return work(descriptor)
  } catch (thrown) {
    closeSync(descriptor)
    throw thrown
  }
}
