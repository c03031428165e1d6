/**
 * The DICOM files: written whole and durable, or not at all. Door of the folder.
 *
 *   write ─► the caller records it ─► keep     a row names the file
 *     └────► anything else ─────────► remove   the file is gone
 *
 * Files go to numbered folders, so that one sync of a folder serves all writes that wait for it, and a
 * crash leaves unnamed files only in the folders in which some file was neither kept nor removed yet.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream, type ReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fault, isSystemError, messageOf } from '../errors.ts'
import { startThread, type Thread } from '../lib/thread.ts'
import type { Log } from '../log.ts'
import type { DiskTask } from './disk-thread.ts'
import {
  filesOf,
  folderName,
  makeFolders,
  makeNumbered,
  numberedFolders,
  readMark,
  writeMark,
} from './folders.ts'
import { joined, type OwnPiece, ownPieces } from './pieces.ts'

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
  try {
    await makeFolders(root)
    const mark = await readMark(root)
    const numbers = await numberedFolders(root)
    const last = numbers.at(-1) ?? 0
    const isLastFree = last > 0 && last >= mark && (await filesOf(root, last)).length === 0
    const current = isLastFree ? last : last + 1
    await makeNumbered(root, current)
    const disk = await startThread<DiskTask>({
      name: 'The storage thread',
      entry: new URL('./disk-thread.ts', import.meta.url),
      data: { crashAt: options.crashAt ?? null },
    })
    return new Storage({ root, current, mark, disk }, options)
  } catch (cause) {
    throw fault('data-folder', `Cannot use the folder "${root}" for DICOM files: ${messageOf(cause)}`, {
      cause,
    })
  }
}

interface OpenedFolders {
  readonly root: string
  /** Number of the folder that new files go to. */
  readonly current: number
  /** Number of the first folder that may hold files without a row. */
  readonly mark: number
  readonly disk: Thread<DiskTask>
}

export class Storage implements AsyncDisposable {
  readonly #root: string
  readonly #log: Log
  readonly #filesPerFolder: number
  readonly #disk: Thread<DiskTask>
  /** By folder: how many of its files are neither kept nor removed. */
  readonly #undecided = new Map<number, number>()
  readonly #firstOfThisRun: number
  #current: number
  #ready: Promise<void> = Promise.resolve()
  #filesInCurrent = 0
  #mark: number
  #isSwept = false
  #marking: Promise<void> = Promise.resolve()

  /** Use `openStorage`. */
  constructor({ root, current, mark, disk }: OpenedFolders, options: StorageOptions) {
    this.#root = root
    this.#disk = disk
    this.#log = options.log
    this.#filesPerFolder = options.filesPerFolder ?? 4096
    this.#current = current
    this.#firstOfThisRun = current
    this.#mark = mark
  }

  /**
   * Writes a new file of these bytes; when resolved it is durable under the name returned. The caller has
   * to `keep` it once a row names it, or to `remove` it.
   * @param chunks given away: they must not be used afterwards
   * @throws `storage-full` if the disk is; nothing is left of the file then
   */
  async write(chunks: readonly Uint8Array[]): Promise<string> {
    const pieces = ownPieces(chunks)
    return this.#write(
      pieces,
      true,
      pieces.map(({ buffer }) => buffer),
    )
  }

  /**
   * As `write`, but the file is not durable before `sync`: somebody else has to keep its bytes until then.
   * @returns the name, and the bytes in one piece that can move to a thread
   */
  async writeUnsynced(chunks: readonly Uint8Array[]): Promise<{ file: string; bytes: OwnPiece }> {
    const bytes = joined(chunks)
    return { file: await this.#write([bytes], false, []), bytes }
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
    this.#decide(Number(dirname(file)))
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
    this.#decide(Number(dirname(file)))
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
    const folders = await numberedFolders(this.#root)
    let removed = 0
    for (const number of folders.filter((each) => each >= this.#mark && each < this.#firstOfThisRun)) {
      const orphans = await findOrphans(await filesOf(this.#root, number))
      await Promise.all(orphans.map((file) => this.unlink(file)))
      removed += orphans.length
    }
    this.#isSwept = true
    this.#moveMark()
    await this.#marking
    return removed
  }

  /** To be called when nobody writes any more. */
  async close(): Promise<void> {
    this.#moveMark(this.#filesInCurrent === 0 ? this.#current : this.#current + 1)
    await this.#marking
    await this.#disk.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #write(
    pieces: readonly OwnPiece[],
    isSynced: boolean,
    transfer: readonly ArrayBuffer[],
  ): Promise<string> {
    const { number, place } = await this.#place()
    const file = `${folderName(number)}/${fileName(place)}`
    try {
      await this.#disk.request({ kind: 'write', path: this.#path(file), pieces, isSynced }, transfer)
      return file
    } catch (cause) {
      await this.remove(file).catch((thrown) => {
        this.#log.error({ file, reason: messageOf(thrown) }, 'Cannot remove an unfinished file')
      })
      if (isSystemError(cause, 'ENOSPC', 'EDQUOT')) {
        throw fault('storage-full', 'The disk of the DICOM files is full: make room, then send again', {
          cause,
        })
      }
      throw cause
    }
  }

  /** The folder for one more file, counted as undecided in it from now on. */
  async #place(): Promise<{ number: number; place: number }> {
    if (this.#filesInCurrent >= this.#filesPerFolder) {
      this.#filesInCurrent = 0
      this.#ready = makeNumbered(this.#root, ++this.#current)
      // Each writer that waits for the folder gets the error; without one it must not end the process.
      this.#ready.catch(() => {})
    }
    const place = this.#filesInCurrent++
    const number = this.#current
    this.#undecided.set(number, (this.#undecided.get(number) ?? 0) + 1)
    try {
      await this.#ready
    } catch (thrown) {
      this.#filesInCurrent = this.#filesPerFolder
      this.#decide(number)
      throw thrown
    }
    return { number, place }
  }

  #path(file: string): string {
    if (!/^\d{8}\/[\w.-]+$/.test(file))
      throw fault('internal', `"${file}" is no name of a stored file: this is a bug`)
    return join(this.#root, file)
  }

  #decide(number: number): void {
    const left = (this.#undecided.get(number) ?? 0) - 1
    if (left > 0) this.#undecided.set(number, left)
    else if (this.#undecided.delete(number) && number !== this.#current) this.#moveMark()
  }

  /** The mark stands at the first folder with an undecided file, or at the first that may yet get one. */
  #moveMark(open = this.#current): void {
    const mark = Math.min(open, ...this.#undecided.keys())
    // Before the sweep, the folders of earlier runs stay marked.
    if (!this.#isSwept || mark <= this.#mark) return
    this.#mark = mark
    this.#marking = this.#marking
      .then(() => writeMark(this.#root, mark))
      .catch((thrown) => this.#log.warn({ reason: messageOf(thrown) }, 'Cannot note which folders are swept'))
  }
}

/** In the order of their making, so that an index of the names grows at its end; never used twice. */
function fileName(place: number): string {
  return `${String(place).padStart(4, '0')}-${randomUUID()}`
}
