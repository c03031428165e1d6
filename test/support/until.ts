/** Waits for a condition, by asking again and again. */
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * @param what what is waited for, for the error
 * @param condition its first result that is neither null, undefined nor false is returned; errors of it are passed on
 * @param patienceMs after this long the wait is given up with an error
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  patienceMs = 60_000,
): Promise<T> {
  const end = performance.now() + patienceMs
  for (;;) {
    const value = await condition()
    if (value !== null && value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`Waited ${patienceMs} ms in vain for: ${what}`)
    await sleep(10)
  }
}
