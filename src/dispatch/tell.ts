/**
 * One delivery, one run: finds the version in force, runs its callback, and decides how the delivery goes on.
 */
import type { CallHistory, Host } from '../host/host.ts'
import type { ReachPoint } from '../lib/crash-point.ts'
import type { Log } from '../log.ts'
import type { RunRequest, RunResult, Runtime } from '../runtime/runtime.ts'
import type { ScriptInForce } from '../scripts/scripts.ts'
import type { Lease, RunRecord, Settlement } from '../store/store.ts'
import { retryDelayMs } from './retry.ts'

export interface TellParts {
  readonly scriptNamed: (name: string) => ScriptInForce | undefined
  readonly runtime: Pick<Runtime, 'run' | 'runAhead'>
  readonly host: Host
  readonly log: Log
  readonly reach: ReachPoint
  readonly random: () => number
}

export interface Turn {
  /** Which of the runs that the script may have at a time, from 0. */
  readonly slot: number
  /** Whether the lease is still ours; asked at every host call. */
  readonly isLive: () => boolean
  /**
   * Resolves when the run before it, of the same slot, is over and done with, if that is still at work: this one is
   * handed over ahead then, and asks the host for nothing sooner.
   */
  readonly before: Promise<void> | null
}

/** @returns null if it was to be handed over ahead, and has done nothing */
export type Tell = (lease: Lease, turn: Turn) => Promise<Settlement | null>

export function createTell({ scriptNamed, runtime, host, log, reach, random }: TellParts): Tell {
  return async (lease, { slot, isLive, before }) => {
    const script = scriptNamed(lease.script)
    if (script === undefined) return settlementOf(lease, 'release', null)
    const reason = reasonToSkip(lease, script)
    if (reason !== null) return settlementOf(lease, 'done', skipped(script.version, reason))
    const begin = () =>
      host.begin({
        script: script.name,
        needs: script.manifest.needs,
        idempotencyKey: lease.idempotencyKey,
        isLive,
      })
    /** Of a run that begins anew, only the last counts; what the others asked for is told all the same. */
    const histories = [begin()]
    reach('run-started')
    const request: RunRequest = {
      version: script.version,
      callback: lease.callback,
      event: lease.event!,
      slot,
      onBeginAgain: () => histories.push(begin()),
      async answer(call, signal, answered) {
        const calls = histories.at(-1)!
        await before
        const answer = await calls.answer(call, signal, answered)
        if (call.name === 'kv.set' && answer.ok) reach('key-value-held')
        return answer
      },
    }
    const result = before === null ? await runtime.run(request) : await runtime.runAhead(request)
    if (result === null) return null
    reach('run-ended')
    writeLog(log, lease, result)
    const run = recordOf(script.version, result, histories)
    if (result.outcome === 'ok') {
      return { ...settlementOf(lease, 'done', run), keyValueWrites: histories.at(-1)!.keyValueWrites() }
    }
    const delayMs = delayAfter(lease, result, script, random())
    if (delayMs === null) return settlementOf(lease, 'dead', run)
    return { ...settlementOf(lease, 'retry', run), delayMs }
  }
}

function reasonToSkip(lease: Lease, script: ScriptInForce): string | null {
  if (lease.event === null)
    return `The ${lease.resource.level.toLowerCase()} was deleted before its turn came`
  if (!script.callbacks.some((name) => name === lease.callback)) {
    return `The version in force has no callback "${lease.callback}"`
  }
  return null
}

/** Null: it is set aside. */
function delayAfter(lease: Lease, result: RunResult, script: ScriptInForce, random: number): number | null {
  const { wish, durationMs } = result
  if (wish === 'give-up') return null
  const ageMs = lease.leasedAtMs - lease.changedAtMs + durationMs
  const failed = { attempt: lease.attempt, ageMs, retryAfterMs: wish?.retryAfterMs ?? null }
  return retryDelayMs(script.manifest.retry, failed, random)
}

function settlementOf(lease: Lease, next: Settlement['next'], run: RunRecord | null): Settlement {
  return { delivery: lease.delivery, fence: lease.fence, next, delayMs: 0, run, keyValueWrites: [] }
}

function skipped(version: string, reason: string): RunRecord {
  const nothing = { durationMs: 0, cpuMs: 0, memoryBytes: 0, logs: '[]', hostCalls: '[]' }
  return { version, outcome: 'skipped', reason: JSON.stringify({ message: reason }), ...nothing }
}

function recordOf(version: string, result: RunResult, histories: readonly CallHistory[]): RunRecord {
  return {
    version,
    outcome: result.outcome,
    reason: result.error === null ? null : JSON.stringify(result.error),
    durationMs: result.durationMs,
    cpuMs: result.cpuMs,
    memoryBytes: result.memoryBytes,
    logs: JSON.stringify(result.logs),
    hostCalls: JSON.stringify(histories.flatMap((calls) => calls.records())),
  }
}

function writeLog(log: Log, lease: Lease, { logs, outcome, error, durationMs }: RunResult): void {
  const facts = { script: lease.script, callback: lease.callback, seq: lease.seq }
  for (const { level, text } of logs) log[level](facts, text)
  if (outcome === 'ok') log.debug({ ...facts, durationMs }, 'Ran')
  else
    log.warn(
      { ...facts, outcome, attempt: lease.attempt, line: error?.line ?? null },
      error?.message ?? outcome,
    )
}
