/** How much rows take, by some of them: to look at each would take long. */
import type { Statement } from 'better-sqlite3'

/** @param sample gives `bytes` of the row at a number, or after it. @returns the mean of rows evenly over all */
export function sampledBytes(
  sample: Statement<unknown[], unknown>,
  first: number,
  last: number,
  samples: number,
): number {
  let bytes = 0
  for (let n = 0; n < samples; n++) {
    const at = first + Math.floor(((last - first) * n) / (samples - 1))
    bytes += (sample.get(at) as { bytes: number }).bytes
  }
  return bytes / samples
}
