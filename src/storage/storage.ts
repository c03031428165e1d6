/**
 * The DICOM files: written whole and durable, or not at all. Door of the folder.
 *
 *   write ─► the caller records it ─► keep     a row names the file
 *     └────► anything else ─────────► remove   the file is gone
 *
 * A file may also be written by somebody else, who keeps its bytes until it is synced with others.
 */
import { createReadStream, type ReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fault, messageOf } from '../errors.ts'
import { refuseFullDisk } from '../lib/new-file.ts'
import { startThread, type Thread } from '../lib/thread.ts'
import type { Log } from '../log.ts'
import type { DiskTask } from './disk-thread.ts'
import { joined, type OwnPiece, ownPieces } from './pieces.ts'
import { openPlaces, type Places } from './places.ts'

export { bringBack } from './bring-back.ts'
export { openTrash, type Trash, type TrashList } from './trash.ts'
export { openWriteBehind, type WriteBehind } from './write-behind.ts'

export interface StorageOptions {
  readonly log: Log
  /** Name of a crash point; only in tests. */
  readonly crashAt?: string | null
  /** After so many files a new folder is begun; fewer than the default only in tests. */
  readonly filesPerFolder?: number
}

/**
 * Opens the storage in a folder, which is made if it is not there.
 * @throws `data-folder` if the folder cannot be made or read
 */
export async function openStorage(root: string, options: StorageOptions): Promise<Storage> {
  const { log, crashAt = null, filesPerFolder = 4096 } = options
  try {
    const places = await openPlaces(root, { log, filesPerFolder })
    const disk = await startThread<DiskTask>({
      name: 'The storage thread',
      entry: new URL('./disk-thread.ts', import.meta.url),
      data: { crashAt },
    })
    return new Storage({ root, log, places, disk })
  } catch (cause) {
    throw fault('data-folder', `Cannot use the folder "${root}" for DICOM files: ${messageOf(cause)}`, {
      cause,
    })
  }
}

/** A file that is not written yet. */
export interface FileContent {
  readonly path: string
  /** In one piece that can move to a thread. */
  readonly bytes: OwnPiece
}

interface StorageParts {
  readonly root: string
  readonly log: Log
  readonly places: Places
  readonly disk: Thread<DiskTask>
}

export class Storage implements AsyncDisposable {
  readonly #root: string
  readonly #log: Log
  readonly #places: Places
  readonly #disk: Thread<DiskTask>

  /** Use `openStorage`. */
  constructor({ root, log, places, disk }: StorageParts) {
    this.#root = root
    this.#log = log
    this.#places = places
    this.#disk = disk
  }

  /**
   * Writes a new file of these bytes; when resolved it is durable under the name returned. The caller has
   * to `keep` it once a row names it, or to `remove` it.
   * @param chunks given away: they must not be used afterwards
   * @throws `storage-full` if the disk is; nothing is left of the file then
   */
  async write(chunks: readonly Uint8Array[]): Promise<string> {
    const file = await this.#places.next().catch(refuseFullDisk)
    const pieces = ownPieces(chunks)
    const transfer = pieces.map(({ buffer }) => buffer)
    try {
      await this.#disk.request({ kind: 'write', path: this.#path(file), pieces }, transfer)
      return file
    } catch (cause) {
      await this.remove(file).catch((thrown) => {
        this.#log.error({ file, reason: messageOf(thrown) }, 'Cannot remove an unfinished file')
      })
      return refuseFullDisk(cause)
    }
  }

  /**
   * A name for a file that somebody else writes at the path, and keeps the bytes of until it is synced. The
   * caller has to `keep`, `remove` or `forgo` it as any other.
   */
  async prepare(chunks: readonly Uint8Array[]): Promise<{ file: string; content: FileContent }> {
    const file = await this.#places.next().catch(refuseFullDisk)
    return { file, content: { path: this.#path(file), bytes: joined(chunks) } }
  }

  /** Says that a file that was prepared has not been written. */
  forgo(file: string): void {
    this.#places.decide(file)
  }

  /** Makes files durable that were written unsynced; one that is gone meanwhile is no error. */
  async sync(files: readonly string[]): Promise<void> {
    await Promise.all(files.map((file) => this.#disk.request({ kind: 'sync', path: this.#path(file) })))
  }

  /** Makes a file have these bytes, durably, whatever a crash made of it. */
  async restore(file: string, bytes: Uint8Array): Promise<void> {
    await this.#disk.request({ kind: 'restore', path: this.#path(file), bytes })
  }

  /** Says that a row names the file durably. */
  keep(file: string): void {
    this.#places.decide(file)
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
    await this.#disk.request({ kind: 'unlink', path: this.#path(file) })
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
    await this.#places.close()
    await this.#disk.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #path(file: string): string {
    if (!/^\d{8}\/\w[\w.-]*$/.test(file))
      throw fault('internal', `"${file}" is no name of a stored file: this is a bug`)
    return join(this.#root, file)
  }
}
