/** Processes that others have started, by what `/proc` says; where there is none, nothing is known of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A number is given out again, so the moment of the start belongs to it. */
export interface ProcessMark {
  readonly pid: number
  readonly startedAt: string
}

/** Those whose parent is `pid` now. */
export function childrenOf(pid: number): ProcessMark[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), status: statusOf(Number(name)) }))
    .flatMap(({ pid: child, status }) =>
      status?.parent === pid ? [{ pid: child, startedAt: status.startedAt }] : [],
    )
}

export function isRunning({ pid, startedAt }: ProcessMark): boolean {
  const status = statusOf(pid)
  return status !== null && status.startedAt === startedAt && status.state !== 'Z'
}

/** Null: there is no such process. */
function statusOf(pid: number): { state: string; parent: number; startedAt: string } | null {
  try {
    // The name, in parentheses, may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state: fields[0]!, parent: Number(fields[1]), startedAt: fields[19]! }
  } catch {
    return null
  }
}
