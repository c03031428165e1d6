/** Work on the same thing one after the other, on different things at once. */

/** @returns the function that runs `work` when all that it was given for the same key before has ended */
export function oneAtATime(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const lastOf = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const before = lastOf.get(key)
    const own = before === undefined ? work() : before.then(work, work)
    lastOf.set(key, own)
    const forget = () => {
      if (lastOf.get(key) === own) lastOf.delete(key)
    }
    own.then(forget, forget)
    return own
  }
}
