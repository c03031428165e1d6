/**
 * One file of the scripts folder, seen as its author saved it: a content counts once it has stood unchanged
 * for the quiet time, and a file is gone once it has been away for longer than a save by rename takes.
 *
 *   event ─► read ─► wait ─► read again ─ same ──► saved
 *              ▲                   └─ other ─┐
 *              └─────────────────────────────┘
 */

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { isSystemError, messageOf } from '../errors.ts'

/** Text of a saved file, or why it cannot be read; null: there is no such file. */
export type Content = { readonly text: string } | { readonly unreadable: string } | null

export interface SavedFileParts {
  readonly path: string
  readonly quietMs: number
  readonly goneMs: number
  /** The content that counts is another one than before. */
  readonly onChange: () => void
  /** It was saved with the content that it had. */
  readonly onSavedAgain: () => void
}

export class SavedFile {
  readonly #parts: SavedFileParts
  #saved: Content = null
  /** Number of the last event: what an older one began is dropped. */
  #event = 0
  #timer: NodeJS.Timeout | undefined
  #waiting: PromiseWithResolvers<void> | null = null
  #isSave = false

  constructor(parts: SavedFileParts) {
    this.#parts = parts
  }

  /**
   * Something happened to the file, or may have.
   * @param isSave whether it was written to for certain
   */
  touch(isSave = false): void {
    this.#isSave ||= isSave
    this.#waiting ??= Promise.withResolvers()
    void this.#read(++this.#event)
  }

  /** The content that counts, after waiting until there is one. */
  async content(): Promise<Content> {
    while (this.#waiting !== null) await this.#waiting.promise
    return this.#saved
  }

  close(): void {
    this.#event++
    clearTimeout(this.#timer)
    this.#settle(this.#saved)
  }

  async #read(event: number): Promise<void> {
    clearTimeout(this.#timer)
    const first = await readContent(this.#parts.path)
    if (event !== this.#event) return
    const { quietMs, goneMs } = this.#parts
    this.#timer = setTimeout(() => void this.#readAgain(event, first), first === null ? goneMs : quietMs)
    // A file that may come back is not worth waiting for.
    if (first === null) this.#resolveWaiting()
  }

  async #readAgain(event: number, first: Content): Promise<void> {
    const second = await readContent(this.#parts.path)
    if (event !== this.#event) return
    if (isSame(first, second)) this.#settle(second)
    else this.touch()
  }

  #settle(content: Content): void {
    const changed = !isSame(content, this.#saved)
    this.#saved = content
    this.#resolveWaiting()
    const wasSaved = this.#isSave
    this.#isSave = false
    if (changed) this.#parts.onChange()
    else if (wasSaved) this.#parts.onSavedAgain()
  }

  #resolveWaiting(): void {
    this.#waiting?.resolve()
    this.#waiting = null
  }
}

/** More than any source that compiles to what may be handed to an isolate. */
const mostBytes = 8 * 1024 * 1024

async function readContent(path: string): Promise<Content> {
  try {
    // Opening a pipe would wait for somebody to write to it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const found = await file.stat()
    if (!found.isFile()) return { unreadable: 'It is not a file' }
    const { size } = found
    if (size > mostBytes) return { unreadable: `It is larger than ${mostBytes / 1024 / 1024} MB` }
    const text = await file.readFile('utf8')
    // As in UTF-16, in which some editors and shells of Windows save.
    return text.includes('\0') ? { unreadable: 'It has zero bytes in it: save it as UTF-8' } : { text }
  } catch (error) {
    return isSystemError(error, 'ENOENT', 'ENOTDIR') ? null : { unreadable: messageOf(error) }
  }
}

function isSame(left: Content, right: Content): boolean {
  if (left === null || right === null) return left === right
  if ('text' in left) return 'text' in right && left.text === right.text
  return 'unreadable' in right && left.unreadable === right.unreadable
}
