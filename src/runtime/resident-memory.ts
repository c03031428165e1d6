/**
 * How much memory another process holds.
 */
import { readFileSync } from 'node:fs'

/** Resident memory of a process in megabytes; 0 where the system does not say. */
export function residentMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
  } catch {
    return 0
  }
}
