/** Waits for something, and no longer than a signal allows; nothing of it stays with the signal. */

/** Rejects with the signal's reason when it is aborted before. */
export async function unlessAborted<T>(waited: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<T>()
  const end = () => ended.reject(signal.reason)
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  // Not by a race, which would stay with what never ends.
  waited.then(ended.resolve, ended.reject)
  try {
    return await ended.promise
  } finally {
    signal.removeEventListener('abort', end)
  }
}
