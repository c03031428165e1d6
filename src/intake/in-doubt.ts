/**
 * Files of which it is not known whether a row names them: the store failed, and may have committed before. Each is
 * removed or kept once the store says which; what is left at the end is for the next start to sweep.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Storage } from '../storage/storage.ts'
import type { Store } from '../store/store.ts'

const againMs = 1_000

export interface InDoubt {
  /** Resolves when it is decided, or has to wait. */
  decide(file: string): Promise<void>
}

export function openInDoubt(
  store: Pick<Store, 'orphans'>,
  storage: Pick<Storage, 'remove' | 'keep'>,
  log: Log,
): InDoubt {
  const waiting = new Set<string>()
  let timer: NodeJS.Timeout | null = null

  const decideNow = async (file: string) => {
    const isOrphan = (await store.orphans([file])).includes(file)
    if (isOrphan) await storage.remove(file)
    else storage.keep(file)
  }
  const tryAll = async () => {
    timer = null
    for (const file of waiting) {
      try {
        await decideNow(file)
        waiting.delete(file)
      } catch {
        // The store does not answer still.
        later()
        return
      }
    }
  }
  const later = () => {
    timer ??= setTimeout(() => void tryAll(), againMs)
    timer.unref()
  }

  return {
    async decide(file) {
      try {
        await decideNow(file)
      } catch (error) {
        log.warn(
          { file, reason: messageOf(error) },
          'Whether a file has a row is not known yet; asking again',
        )
        waiting.add(file)
        later()
      }
    },
  }
}
