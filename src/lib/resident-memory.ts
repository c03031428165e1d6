/**
 * How much memory another process holds.
 */
import { readdirSync } from 'node:fs'
import { textOfFile } from './text-of-file.ts'

/** Resident memory of a process in megabytes; 0 where the system does not say. */
export function residentMb(pid: number | undefined): number {
  const status = textOfFile(`/proc/${pid}/status`)
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
}

/** Resident memory in megabytes of the processes that this one started and whose command line has that word. */
export function residentMbOfChildren(word: string): number {
  let sum = 0
  for (const pid of childrenOf(process.pid)) {
    if (textOfFile(`/proc/${pid}/cmdline`).split('\0').includes(word)) sum += residentMb(Number(pid))
  }
  return sum
}

/** Any thread may have started them. */
function childrenOf(pid: number): string[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads
      .flatMap((thread) => textOfFile(`/proc/${pid}/task/${thread}/children`).split(' '))
      .filter(Boolean)
  } catch {
    return []
  }
}
