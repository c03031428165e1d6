/** Gives way to what somebody waits for: work at a lower priority gets the processor when that leaves it. */
import { getPriority, setPriority } from 'node:os'

/** What is to be done soon, what at leisure, and what when there is nothing else; niceness, as POSIX has it. */
export const niceness = { soon: 5, atLeisure: 10, last: 19 } as const

/** Lowers this thread's priority; where a thread has none of its own, nothing happens. */
export function yieldProcessorOfThread(to: number): void {
  // Linux takes 0 for the calling thread, other systems for its process.
  if (process.platform === 'linux') yieldProcessor(0, to)
}

/** Lowers the priority of a process; best done before it has threads, which begin with what it has then. */
export function yieldProcessor(pid: number, to: number): void {
  try {
    if (getPriority(pid) < to) setPriority(pid, to)
  } catch {
    // Some systems allow nobody to change it; then it competes as an equal.
  }
}
