/**
 * Watches the scripts folder and says which files were saved or have gone.
 */
import { join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { type Content, SavedFile } from './saved-file.ts'
import { isHidden, isSource, pathInside } from './source.ts'

/** How long the content of a file has to stand until it counts as saved. */
const quietMs = 60
/** How long a file may be away while it is being saved. */
const goneMs = 1_000

export interface WatchParts {
  /** Real path of the folder. */
  readonly folder: string
  /** The content of a file is another one, or it is gone; by its path inside the folder. */
  readonly onChange: (path: string) => void
  /** A file was saved with the content that it had. */
  readonly onSavedAgain: (path: string) => void
  readonly onError: (error: unknown) => void
}

export class WatchedFolder {
  readonly #parts: WatchParts
  readonly #watcher: FSWatcher
  readonly #files = new Map<string, SavedFile>()

  /** Resolves when every file that is there has been read. */
  static async open(parts: WatchParts): Promise<WatchedFolder> {
    const folder = new WatchedFolder(parts)
    const ready = new Promise<void>((resolve) => folder.#watcher.once('ready', resolve))
    await ready
    await Promise.all([...folder.#files.values()].map((file) => file.content()))
    return folder
  }

  private constructor(parts: WatchParts) {
    this.#parts = parts
    this.#watcher = watch(parts.folder, {
      // Saving by rename and by delete and create is told apart from deletion here, by the content.
      atomic: false,
      ignored: (path) => {
        const inside = pathInside(parts.folder, path)
        return inside !== null && isHidden(inside)
      },
    })
    this.#watcher.on('all', (event, path) => this.#touch(path, event === 'change'))
    this.#watcher.on('error', parts.onError)
  }

  /** The content of a file as it was last saved; waits while it is being saved. */
  async content(path: string): Promise<Content> {
    return await this.#file(path).content()
  }

  async close(): Promise<void> {
    await this.#watcher.close()
    for (const file of this.#files.values()) file.close()
  }

  #touch(path: string, isSave: boolean): void {
    const inside = pathInside(this.#parts.folder, path)
    if (inside !== null && isSource(inside)) this.#file(inside).touch(isSave)
  }

  #file(path: string): SavedFile {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    const file = new SavedFile({
      path: join(this.#parts.folder, path),
      quietMs,
      goneMs,
      onChange: () => this.#parts.onChange(path),
      onSavedAgain: () => this.#parts.onSavedAgain(path),
    })
    this.#files.set(path, file)
    // The first word of it may come from a script that imports it, before the watcher has seen it.
    file.touch()
    return file
  }
}
