/** Work that has to be done again when it is asked for while it is under way, but never twice at a time. */

export interface LastWins {
  /** Starts the work, or lets it follow the one under way; resolves when nothing is left to do. */
  readonly begin: () => Promise<void>
  readonly isUnderWay: boolean
  /** What is under way is told to end, and nothing is begun any more. */
  close(): void
}

/** @param work is told by its signal when it is asked for again, or not wanted any more: what it is at does not count */
export function lastWins(work: (signal: AbortSignal) => Promise<void>): LastWins {
  let underWay: Promise<void> | null = null
  let again = false
  let isClosed = false
  let outdating = new AbortController()
  const loop = async () => {
    do {
      again = false
      outdating = new AbortController()
      await work(outdating.signal)
    } while (again && !isClosed)
  }
  return {
    begin() {
      if (isClosed) return underWay ?? Promise.resolve()
      again = true
      outdating.abort()
      underWay ??= loop().finally(() => {
        underWay = null
      })
      return underWay
    },
    get isUnderWay() {
      return underWay !== null
    },
    close() {
      isClosed = true
      outdating.abort()
    },
  }
}
