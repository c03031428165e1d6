/** The folders whose entries a batch has changed, to be synced at its end; the last ones stay open. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** Folders kept open: writing goes to one folder, unlinking may go to others. */
const mostOpen = 4

export interface SyncFailures {
  /** What the sync of the folder of that file threw; null if it went well. */
  of(file: string): unknown
}

export class FolderSyncs {
  /** By path, the one that was synced last at the end. */
  readonly #open = new Map<string, number>()
  readonly #touched = new Set<string>()

  /** Says that the entry of this file was made or removed. */
  touch(file: string): void {
    this.#touched.add(dirname(file))
  }

  /** Makes the entries durable of all that was touched since the last time. */
  sync(): SyncFailures {
    const failures = new Map<string, unknown>()
    for (const path of this.#touched) {
      try {
        fsyncSync(this.#descriptor(path))
      } catch (thrown) {
        failures.set(path, thrown)
      }
    }
    this.#touched.clear()
    return { of: (file) => failures.get(dirname(file)) ?? null }
  }

  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor)
    this.#open.clear()
  }

  #descriptor(path: string): number {
    const descriptor = this.#open.get(path) ?? openSync(path, 'r')
    this.#open.delete(path)
    this.#open.set(path, descriptor)
    const [oldest] = this.#open
    if (this.#open.size > mostOpen && oldest !== undefined) {
      this.#open.delete(oldest[0])
      closeSync(oldest[1])
    }
    return descriptor
  }
}
