/** Gives way to what somebody waits for: work at a lower priority gets the processor when that leaves it. */
import { execFile } from 'node:child_process'
import { getPriority, setPriority } from 'node:os'
import { programFile } from './program-file.ts'

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

/**
 * Takes a process, with all its threads, off the processor at once whenever another wants it. At the lowest priority
 * alone it would be left there for a few milliseconds each time. Where the system cannot do that, nothing happens.
 */
export function yieldProcessorAtOnce(pid: number): void {
  const chrt = programFile('chrt')
  if (chrt === null) return
  try {
    execFile(chrt, ['--all-tasks', '--idle', '--pid', '0', String(pid)], { env: {} }, () => {})
  } catch {
    // Too many processes, say. Its priority is the lowest all the same.
  }
}
