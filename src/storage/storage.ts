/**
 * The DICOM files: written whole and durable, or not at all. Door of the folder.
 *
 *   write ─► the caller records it ─► keep     a row names the file
 *     └────► anything else ─────────► remove   the file is gone
 *
 * A file may also be written by somebody else, who keeps its bytes until it is synced with others.
 */
import { createReadStream, type ReadStream } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fault, messageOf } from '../errors.ts'
import { makeFolder, syncFolder } from '../lib/durable-folders.ts'
import { ownsItsMemory } from '../lib/free-memory.ts'
import { refuseFullDisk } from '../lib/full-disk.ts'
import { LastingThread } from '../lib/lasting-thread.ts'
import { bytesOf } from '../lib/pieces.ts'
import type { Log } from '../log.ts'
import { isThere, restoreFile, rewriteFile, syncFile, unlinkFile } from './disk.ts'
import { openPlaces, type Places } from './places.ts'
import { SyncedFolders } from './synced-folders.ts'
import type { WriteRequest } from './write-thread.ts'
import { WriteThreads } from './write-threads.ts'

export { bringBack, setAside } from './bring-back.ts'
export { makeDataFolder } from './data-folder.ts'
export { openTrash, type Trash, type TrashList } from './trash.ts'
export { openWriteBehind, type WriteBehind } from './write-behind.ts'

export interface StorageOptions {
  readonly log: Log
  /** For tests: the point at which the process kills itself. */
  readonly crashAt?: string | null
  /** After so many files a new folder is begun; fewer than the default only in tests. */
  readonly filesPerFolder?: number
  /** A folder inside that only this server writes new files to; others may read and remove them. */
  readonly home?: string | null
}

/**
 * Opens the storage in a folder, which is made if it is not there.
 * @throws `data-folder` if the folder cannot be made or read
 */
export async function openStorage(root: string, options: StorageOptions): Promise<Storage> {
  const { filesPerFolder = 4096, home = null } = options
  try {
    const places = await openPlaces(root, { ...options, filesPerFolder, home })
    return new Storage(root, places, options)
  } catch (cause) {
    throw fault('data-folder', `Cannot use the folder "${root}" for DICOM files: ${messageOf(cause)}`, {
      cause,
    })
  }
}

export class Storage implements AsyncDisposable {
  readonly #root: string
  readonly #places: Places
  readonly #options: StorageOptions
  readonly #folders = new SyncedFolders()
  readonly #writing: WriteThreads
  readonly #syncing = new LastingThread<readonly string[]>({
    name: 'The thread that syncs files',
    entry: new URL('./sync-thread.ts', import.meta.url),
    data: null,
  })

  /** Use `openStorage`. */
  constructor(root: string, places: Places, options: StorageOptions) {
    this.#root = root
    this.#places = places
    this.#options = options
    this.#writing = new WriteThreads(options.crashAt ?? null)
  }

  /**
   * Writes a new file of these bytes; when resolved it is durable under the name returned. The caller has
   * to `keep` it once a row names it, or to `remove` it.
   * @param chunks of no use afterwards: their memory moves to the thread that writes
   * @throws `storage-full` if the disk is; nothing is left of the file then
   */
  async write(chunks: readonly Uint8Array[]): Promise<string> {
    const file = await this.#places.next().catch(refuseFullDisk)
    try {
      await this.#writing.write(...writeRequest(this.#path(file), chunks))
      return file
    } catch (cause) {
      await this.remove(file).catch((thrown) => {
        this.#options.log.error({ file, reason: messageOf(thrown) }, 'Cannot remove an unfinished file')
      })
      return refuseFullDisk(cause)
    }
  }

  /**
   * A name for a file that somebody else writes at the path, and keeps the bytes of until it is synced. The
   * caller has to `keep`, `remove` or `forgo` it as any other.
   */
  async prepare(
    chunks: readonly Uint8Array[],
  ): Promise<{ file: string; content: { path: string; bytes: Uint8Array } }> {
    const file = await this.#places.next().catch(refuseFullDisk)
    return { file, content: { path: this.#path(file), bytes: joined(chunks) } }
  }

  /** Says that a file that was prepared has not been written. */
  forgo(file: string): void {
    this.#places.decide(file)
  }

  /** Makes files durable that somebody else wrote, in peace; one that is gone meanwhile is no error. */
  async sync(files: readonly string[]): Promise<void> {
    await this.#syncing.request(files.map((file) => this.#path(file)))
  }

  /** Writes the bytes of a file once more, whose sync has failed; one that is gone meanwhile stays gone. */
  async rewrite(file: string, bytes: Uint8Array): Promise<void> {
    await rewriteFile(this.#path(file), bytes)
  }

  /** Makes a file have these bytes, durably, whatever a crash made of it. */
  async restore(file: string, bytes: Uint8Array): Promise<void> {
    await this.#durably(file, (path) => restoreFile(path, bytes))
    this.#places.broughtBack(file)
  }

  /** Says that a row names the file durably. */
  keep(file: string): void {
    this.#places.decide(file)
  }

  /** Puts a file that can have no row where no sweep finds it. @returns where it is now */
  async setAside(file: string): Promise<string> {
    const folder = join(this.#root, 'set-aside')
    const path = join(folder, basename(file))
    await makeFolder(folder)
    await syncFile(this.#path(file))
    await rename(this.#path(file), path)
    await syncFolder(folder)
    this.#places.decide(file)
    return path
  }

  async has(file: string): Promise<boolean> {
    return isThere(this.#path(file))
  }

  async read(file: string): Promise<Buffer> {
    return readFile(this.#path(file))
  }

  stream(file: string): ReadStream {
    return createReadStream(this.#path(file))
  }

  /** Removes a file that was written and not kept, durably. */
  async remove(file: string): Promise<void> {
    await this.unlink(file)
    this.#places.decide(file)
  }

  /** Removes a file that was kept, durably; one that is gone already is no error. */
  async unlink(file: string): Promise<void> {
    await this.#durably(file, unlinkFile)
  }

  /**
   * Removes what a crash left of earlier runs: files that no row names.
   * @param findOrphans of these files, those that no row names
   * @returns how many files were removed
   */
  async sweep(findOrphans: (files: readonly string[]) => Promise<readonly string[]>): Promise<number> {
    let removed = 0
    for await (const files of this.#places.unswept()) {
      const orphans = await findOrphans(files)
      await Promise.all(orphans.map((file) => this.unlink(file)))
      removed += orphans.length
    }
    await this.#places.swept()
    return removed
  }

  /** To be called when nobody writes any more. */
  async close(): Promise<void> {
    await this.#writing.close()
    await this.#syncing.close()
    await this.#places.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Does something to a file, and then makes the entries of its folder durable. */
  async #durably(file: string, act: (path: string) => Promise<void>): Promise<void> {
    const path = this.#path(file)
    await act(path)
    await this.#folders.sync(dirname(path))
  }

  #path(file: string): string {
    if (!/^(\w[\w.-]*\/)?\d{8}\/\w[\w.-]*$/.test(file))
      throw fault('internal', `"${file}" is no name of a stored file: this is a bug`)
    return join(this.#root, file)
  }
}

/** Memory that a chunk has for itself moves; of a part of what others use a copy goes. */
function writeRequest(path: string, given: readonly Uint8Array[]): [WriteRequest, ArrayBuffer[]] {
  const chunks = given
    .filter(({ length }) => length > 0)
    .map((chunk) => (ownsItsMemory(chunk) ? chunk : joined([chunk])))
  return [{ path, chunks }, [...new Set(chunks.map(({ buffer }) => buffer as ArrayBuffer))]]
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  // Memory of its own: what is a part of a larger block goes to a thread with the whole block.
  const bytes = new Uint8Array(bytesOf(chunks))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
