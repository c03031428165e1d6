/** One sync that serves everybody who waits for it. */

/**
 * Whoever calls the result gets a sync that began after the call. While one runs, all that come share the
 * one after it.
 */
export function shareSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let following: Promise<void> | null = null
  const start = (): Promise<void> => {
    following = null
    const own = sync().finally(() => {
      if (running === own) running = null
    })
    running = own
    return own
  }
  return () => {
    if (running === null) return start()
    following ??= running.then(start, start)
    return following
  }
}
