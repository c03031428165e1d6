/**
 * Where new files go: numbered folders, so that one sync of a folder serves many files, and a mark before
 * which every file is known to have a row. Only the folders from the mark on have to be swept after a crash.
 */
import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { messageOf } from '../errors.ts'
import { makeFolder } from '../lib/durable-folders.ts'
import type { Log } from '../log.ts'
import { filesOf, folderName, makeNumbered, numberedFolders, readMark, writeMark } from './folders.ts'

export interface PlacesOptions {
  readonly log: Log
  /** After so many files a new folder is begun. */
  readonly filesPerFolder: number
  /** A folder inside, which comes before every name; null: none. */
  readonly home: string | null
}

/** Makes the folder if it is not there, and finds out where to go on. */
export async function openPlaces(storage: string, options: PlacesOptions): Promise<Places> {
  await makeFolder(storage)
  const root = join(storage, options.home ?? '')
  await makeFolder(root)
  const mark = await readMark(root)
  const last = (await numberedFolders(root)).at(-1) ?? 0
  const isLastFree = last > 0 && last >= mark && (await filesOf(root, last)).length === 0
  const current = isLastFree ? last : last + 1
  await makeNumbered(root, current)
  return new Places(root, { current, mark }, options)
}

export class Places {
  readonly #root: string
  readonly #options: PlacesOptions
  /** By folder: how many of its files are neither kept nor removed. */
  readonly #undecided = new Map<number, number>()
  readonly #firstOfThisRun: number
  #current: number
  #ready: Promise<void> = Promise.resolve()
  #filesInCurrent = 0
  #mark: number
  #isSwept = false
  /** Files of earlier runs in folders of this one: theirs was empty when this run took it. */
  #broughtBack: string[] = []
  #marking: Promise<void> = Promise.resolve()

  /** Use `openPlaces`. */
  constructor(
    root: string,
    start: { readonly current: number; readonly mark: number },
    options: PlacesOptions,
  ) {
    this.#root = root
    this.#options = options
    this.#current = start.current
    this.#firstOfThisRun = start.current
    this.#mark = start.mark
  }

  /** The name for one more file, which is undecided from now on. Rejects if its folder cannot be made. */
  async next(): Promise<string> {
    if (this.#filesInCurrent >= this.#options.filesPerFolder) {
      this.#filesInCurrent = 0
      this.#ready = makeNumbered(this.#root, ++this.#current)
      // Each writer that waits for the folder gets the error; without one it must not end the process.
      this.#ready.catch(() => {})
    }
    const file = this.#named(nameOf(this.#current, this.#filesInCurrent++))
    this.#undecided.set(this.#current, (this.#undecided.get(this.#current) ?? 0) + 1)
    try {
      await this.#ready
    } catch (thrown) {
      this.#filesInCurrent = this.#options.filesPerFolder
      this.decide(file)
      throw thrown
    }
    return file
  }

  /** The file has a row, or is gone. */
  decide(file: string): void {
    const number = numberOf(file)
    const left = (this.#undecided.get(number) ?? 0) - 1
    if (left > 0) this.#undecided.set(number, left)
    else if (this.#undecided.delete(number) && number !== this.#current) this.#moveMark()
  }

  /** Yields the files of earlier runs that may have no row, a folder at a time. */
  async *unswept(): AsyncGenerator<string[]> {
    for (const number of await numberedFolders(this.#root)) {
      if (number >= this.#mark && number < this.#firstOfThisRun)
        yield (await filesOf(this.#root, number)).map((file) => this.#named(file))
    }
    if (this.#broughtBack.length > 0) yield this.#broughtBack
    this.#broughtBack = []
  }

  /** A file of an earlier run, which may have no row, has been written again. */
  broughtBack(file: string): void {
    if (numberOf(file) >= this.#firstOfThisRun) this.#broughtBack.push(file)
  }

  /** Every file of earlier runs has a row now. */
  async swept(): Promise<void> {
    this.#isSwept = true
    this.#moveMark()
    await this.#marking
  }

  /** To be called when nobody writes any more. */
  async close(): Promise<void> {
    this.#moveMark(this.#filesInCurrent === 0 ? this.#current : this.#current + 1)
    await this.#marking
  }

  #named(file: string): string {
    const { home } = this.#options
    return home === null ? file : `${home}/${file}`
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

const numberOf = (file: string) => Number(basename(dirname(file)))

/** In the order of their making, so that an index of the names grows at its end; never used twice. */
function nameOf(folder: number, place: number): string {
  return `${folderName(folder)}/${String(place).padStart(4, '0')}-${randomUUID()}`
}
