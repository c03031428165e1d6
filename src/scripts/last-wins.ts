/** Work that has to be done again when it is asked for while it is under way, but never twice at a time. */

/** @returns starts the work, or lets it follow the one under way; resolves when nothing is left to do */
export function lastWins(work: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | null = null
  let again = false
  const loop = async () => {
    do {
      again = false
      await work()
    } while (again)
  }
  return () => {
    again = true
    underWay ??= loop().finally(() => {
      underWay = null
    })
    return underWay
  }
}
