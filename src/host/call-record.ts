/**
 * What is kept of the host calls of a run. It says what was done to whom, and nothing of a patient: no values,
 * no keys, no queries, no paths of other servers.
 */
import type { ErrorCode } from '../errors.ts'
import type { ParsedHostCall } from './calls.ts'

export interface CallRecord {
  readonly name: string
  readonly target: string | null
  readonly durationMs: number
  /** Length of the answer. */
  readonly bytes: number
  readonly ok: boolean
  /** Why not, if not ok. */
  readonly code?: ErrorCode
}

export interface RecordInProgress {
  target(call: ParsedHostCall): void
  end(bytes: number, code: ErrorCode | null): void
}

/** Calls that are kept of one run; further ones are only counted. */
const maxRecords = 200

export function recordCalls(): { begin(name: string): RecordInProgress; all(): readonly CallRecord[] } {
  const records: CallRecord[] = []
  let others = 0
  const begin = (name: string): RecordInProgress => {
    const startedMs = performance.now()
    let target: string | null = null
    return {
      target(call) {
        target = targetOf(call)
      },
      end(bytes, code) {
        if (records.length >= maxRecords) return void others++
        const durationMs = Math.round((performance.now() - startedMs) * 10) / 10
        records.push({
          name,
          target,
          durationMs,
          bytes,
          ok: code === null,
          ...(code === null ? {} : { code }),
        })
      },
    }
  }
  const all = () => {
    if (others === 0) return records
    const rest = {
      name: 'not recorded',
      target: `${others} further calls`,
      durationMs: 0,
      bytes: 0,
      ok: true,
    }
    return [...records, rest]
  }
  return { begin, all }
}

function targetOf(call: ParsedHostCall): string | null {
  switch (call.name) {
    case 'get':
      return call.path.split('?', 1)[0]!
    case 'send':
      return `${call.level} ${call.id} to ${call.modality}`
    case 'http':
      return new URL(call.url).origin
    case 'hash':
      return call.algorithm
    case 'kv.get':
    case 'kv.set':
    case 'kv.delete':
    case 'kv.list':
      return null
    default:
      return call satisfies never
  }
}
