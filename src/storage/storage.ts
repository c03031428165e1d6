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
import { readFile, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fault, isSystemError, messageOf } from '../errors.ts'
import type { ReachPoint } from '../lib/crash-point.ts'
import type { Log } from '../log.ts'
import { closeFile, openFile, syncData, writeChunks } from './disk.ts'
import {
  filesOf,
  folderName,
  makeFolders,
  makeNumbered,
  numberedFolders,
  readMark,
  writeMark,
} from './folders.ts'
import { SyncedFolders } from './synced-folders.ts'

export { openTrash, type Trash, type TrashList } from './trash.ts'

export interface StorageOptions {
  readonly reach: ReachPoint
  readonly log: Log
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
    return new Storage(root, current, mark, options)
  } catch (cause) {
    throw fault('data-folder', `Cannot use the folder "${root}" for DICOM files: ${messageOf(cause)}`, {
      cause,
    })
  }
}

export class Storage implements AsyncDisposable {
  readonly #root: string
  readonly #options: StorageOptions
  readonly #filesPerFolder: number
  readonly #folders = new SyncedFolders()
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
  constructor(root: string, current: number, mark: number, options: StorageOptions) {
    this.#root = root
    this.#options = options
    this.#filesPerFolder = options.filesPerFolder ?? 4096
    this.#current = current
    this.#firstOfThisRun = current
    this.#mark = mark
    this.#folders.hold(join(root, folderName(current)))
  }

  /**
   * Writes a new file of these bytes; when resolved it is durable under the name returned. The caller has
   * to `keep` it once a row names it, or to `remove` it.
   * @throws `storage-full` if the disk is; nothing is left of the file then
   */
  async write(chunks: readonly Uint8Array[]): Promise<string> {
    const number = await this.#place()
    const file = `${folderName(number)}/${randomUUID()}`
    try {
      await this.#writeFile(file, chunks)
      return file
    } catch (cause) {
      await this.remove(file).catch((thrown) => {
        this.#options.log.error({ file, reason: messageOf(thrown) }, 'Cannot remove an unfinished file')
      })
      if (isSystemError(cause, 'ENOSPC', 'EDQUOT')) {
        throw fault('storage-full', 'The disk of the DICOM files is full: make room, then send again', {
          cause,
        })
      }
      throw cause
    }
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
    try {
      await unlink(this.#path(file))
      await this.#folders.sync(dirname(this.#path(file)))
    } catch (thrown) {
      if (!isSystemError(thrown, 'ENOENT')) throw thrown
    }
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
    await this.#folders.release(join(this.#root, folderName(this.#current)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The folder for one more file, counted as undecided in it from now on. */
  async #place(): Promise<number> {
    if (this.#filesInCurrent >= this.#filesPerFolder) {
      this.#filesInCurrent = 0
      this.#ready = this.#beginFolder(++this.#current)
      // Each writer that waits for the folder gets the error; without one it must not end the process.
      this.#ready.catch(() => {})
    }
    this.#filesInCurrent++
    const number = this.#current
    this.#undecided.set(number, (this.#undecided.get(number) ?? 0) + 1)
    try {
      await this.#ready
    } catch (thrown) {
      this.#filesInCurrent = this.#filesPerFolder
      this.#decide(number)
      throw thrown
    }
    return number
  }

  async #beginFolder(number: number): Promise<void> {
    await makeNumbered(this.#root, number)
    this.#folders.hold(join(this.#root, folderName(number)))
    await this.#folders.release(join(this.#root, folderName(number - 1)))
  }

  async #writeFile(file: string, chunks: readonly Uint8Array[]): Promise<void> {
    const { reach } = this.#options
    const path = this.#path(file)
    const descriptor = await openFile(path, 'wx')
    // The entry is there since the file was opened, so its sync need not wait for that of the data.
    const folderSynced = this.#folders.sync(dirname(path))
    folderSynced.catch(() => {})
    try {
      await writeChunks(descriptor, chunks)
      reach('file-written')
      await syncData(descriptor)
      reach('file-synced')
    } finally {
      await closeFile(descriptor)
    }
    await folderSynced
    reach('folder-synced')
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
      .catch((thrown) =>
        this.#options.log.warn({ reason: messageOf(thrown) }, 'Cannot note which folders are swept'),
      )
  }
}
