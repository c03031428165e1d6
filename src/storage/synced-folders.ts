/** Folders whose entries are being made durable: each is open as long as somebody holds it. */
import { closeFile, openFile, syncDescriptor } from './disk.ts'
import { shareSync } from './shared-sync.ts'

interface HeldFolder {
  readonly descriptor: Promise<number>
  readonly sync: () => Promise<void>
  holders: number
}

export class SyncedFolders {
  readonly #held = new Map<string, HeldFolder>()

  /** Makes the entries durable that the folder has now; many callers share one sync. */
  async sync(path: string): Promise<void> {
    const folder = this.hold(path)
    try {
      await folder.sync()
    } finally {
      await this.release(path)
    }
  }

  /** Keeps the folder open until it is released as often as it was held. */
  hold(path: string): HeldFolder {
    const folder = this.#held.get(path) ?? openFolder(path)
    this.#held.set(path, folder)
    folder.holders++
    return folder
  }

  async release(path: string): Promise<void> {
    const folder = this.#held.get(path)
    if (folder === undefined || --folder.holders > 0) return
    this.#held.delete(path)
    await folder.descriptor.then(closeFile, () => {})
  }
}

function openFolder(path: string): HeldFolder {
  const descriptor = openFile(path, 'r')
  // Each sync gets the error; if there is none, it must not end the process.
  descriptor.catch(() => {})
  return { descriptor, sync: shareSync(async () => syncDescriptor(await descriptor)), holders: 0 }
}
