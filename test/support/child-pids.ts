/** The processes that this one has started. */
import { readdirSync, readFileSync } from 'node:fs'

/** Those whose command line contains `part`. */
export function childPids(part: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const parent = /\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
        return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(part)
      } catch {
        return false
      }
    })
    .map(Number)
}
