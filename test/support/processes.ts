/** Processes that others have started, by what `/proc` says; where there is none, nothing is known of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A number is given out again, so the moment of the start belongs to it. */
export interface ProcessMark {
  readonly pid: number
  readonly startedAt: string
}

interface Status {
  readonly state: string
  readonly parent: number
  readonly startedAt: string
  readonly residentPages: number
}

/** As the kernel counts them on the machines that tests run on. */
const pageBytes = 4096

/** Those whose parent is `pid` now. */
export function childrenOf(pid: number): ProcessMark[] {
  return all().flatMap(([child, { parent, startedAt }]) =>
    parent === pid ? [{ pid: child, startedAt }] : [],
  )
}

/** Those that descend from `pid` now, and itself. */
export function familyOf(pid: number): (ProcessMark & { readonly residentMb: number })[] {
  const statuses = all()
  const family = new Set([pid])
  for (let known = 0; known < family.size; ) {
    known = family.size
    for (const [child, { parent }] of statuses) if (family.has(parent)) family.add(child)
  }
  return statuses.flatMap(([member, { startedAt, residentPages }]) =>
    family.has(member)
      ? [{ pid: member, startedAt, residentMb: (residentPages * pageBytes) / 1024 / 1024 }]
      : [],
  )
}

export function isRunning({ pid, startedAt }: ProcessMark): boolean {
  const status = statusOf(pid)
  return status !== null && status.startedAt === startedAt && status.state !== 'Z'
}

function all(): [pid: number, status: Status][] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const status = statusOf(Number(name))
      return status === null ? [] : [[Number(name), status]]
    })
}

/** Null: there is no such process. */
function statusOf(pid: number): Status | null {
  try {
    // The name, in parentheses, may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return {
      state: fields[0]!,
      parent: Number(fields[1]),
      startedAt: fields[19]!,
      residentPages: Number(fields[21]),
    }
  } catch {
    return null
  }
}
