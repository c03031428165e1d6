/** Runs as the REST interface writes them. */
import type { RunSummary } from '../store/store.ts'

export function formatRun({ endedAtMs, logs, hostCalls, reason, ...run }: RunSummary): object {
  return {
    ...run,
    endedAt: new Date(endedAtMs).toISOString(),
    reason: fromJson(reason),
    logs: fromJson(logs),
    hostCalls: fromJson(hostCalls),
  }
}

/** A reason may be plain text. */
export function fromJson(value: string | null): unknown {
  if (value === null) return null
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
