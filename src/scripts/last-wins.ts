/** Work that has to be done again when it is asked for while it is under way, but never twice at a time. */

/**
 * @param work is told by its signal when it is asked for again: what it is at will be done anew
 * @returns starts the work, or lets it follow the one under way; resolves when nothing is left to do
 */
export function lastWins(work: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | null = null
  let again = false
  let outdating = new AbortController()
  const loop = async () => {
    do {
      again = false
      outdating = new AbortController()
      await work(outdating.signal)
    } while (again)
  }
  return () => {
    again = true
    outdating.abort()
    underWay ??= loop().finally(() => {
      underWay = null
    })
    return underWay
  }
}
