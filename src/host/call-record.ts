/**
 * What is kept of the host calls of a run. It says what was done to whom, and nothing of a patient: no values,
 * no keys, no queries, no paths of other servers.
 */
import type { ErrorCode } from '../errors.ts'
import type { ParsedHostCall } from './calls.ts'

export interface CallRecord {
  readonly name: string
  readonly target: string | null
  /** When it was asked for, since the begin of the run. */
  readonly atMs: number
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
  const begunMs = performance.now()
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
        const durationMs = tenths(performance.now() - startedMs)
        records.push({
          name,
          target,
          atMs: tenths(startedMs - begunMs),
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
      atMs: 0,
      durationMs: 0,
      bytes: 0,
      ok: true,
    }
    return [...records, rest]
  }
  return { begin, all }
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10

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
