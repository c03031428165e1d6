/**
 * One delivery, one run: finds the version in force, runs its callback, and decides how the delivery goes on.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf, OnStableError } from '../errors.ts'
import type { CallContext, CallHistory, Host } from '../host/host.ts'
import type { ReachPoint } from '../lib/crash-point.ts'
import type { Log } from '../log.ts'
import type { RunRequest, RunResult, Runtime } from '../runtime/runtime.ts'
import type { ScriptInForce } from '../scripts/scripts.ts'
import { type Lease, nothingRan, type RunRecord, type Settlement } from '../store/store.ts'
import { type NextTry, nextTry } from './retry.ts'
import { reasonToSkip } from './skip.ts'
import type { RunWithEffects } from './storms.ts'

/** Between two tries to load a version that could not be loaded, through no fault of its own. */
const againMs = 1_000

export interface TellParts {
  readonly scriptNamed: (name: string) => ScriptInForce | undefined
  /** A certain version, in force or not; undefined if the script is not served. Throws if it is not fit to be. */
  readonly scriptVersion: (name: string, version: string) => Promise<ScriptInForce | undefined>
  readonly runtime: Pick<Runtime, 'runUnlessRecalled' | 'runAhead'>
  readonly host: Host
  /** A run about a resource has ended, having sent or posted something. */
  readonly onEffects: (script: ScriptInForce, run: RunWithEffects) => void
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

/** @returns null if it has done nothing: it was recalled, or was to be handed over ahead */
export type Tell = (lease: Lease, turn: Turn) => Promise<Settlement | null>

export function createTell(parts: TellParts): Tell {
  const { scriptNamed, scriptVersion, runtime, host, onEffects, log, reach, random } = parts
  return async (lease, { slot, isLive, before }) => {
    let script: ScriptInForce | undefined
    try {
      // Without a wait, where there need be none: runs are handed over in the order of these calls.
      script =
        lease.version === null ? scriptNamed(lease.script) : await scriptVersion(lease.script, lease.version)
    } catch (error) {
      if (!(error instanceof OnStableError && error.code === 'script-refused')) {
        log.warn(
          { ...factsOf(lease), reason: messageOf(error) },
          'Its version could not be loaded; trying again',
        )
        await wait(againMs)
        return settlementOf(lease, 'release', null)
      }
      return settlementOf(lease, 'dead', withoutRun(lease.version!, 'refused', messageOf(error)))
    }
    if (script === undefined) return settlementOf(lease, 'release', null)
    const reason = reasonToSkip(lease, script)
    if (reason !== null) return settlementOf(lease, 'done', withoutRun(script.version, 'skipped', reason))
    const begin = () =>
      host.begin({
        script: script.name,
        needs: script.manifest.needs,
        idempotencyKey: lease.idempotencyKey,
        sendsOnly: sendsOnly(lease, script),
        isLive,
      })
    /** Of a run that begins anew, only the last counts; what the others asked for is told all the same. */
    const histories = [begin()]
    let isHeldUp = false
    reach('run-started')
    const request: RunRequest = {
      version: script.version,
      callback: lease.callback,
      event: lease.event!,
      slot,
      onBeginAgain: () => histories.push(begin()),
      async answer(call, signal, answered) {
        const calls = histories.at(-1)!
        isHeldUp = before !== null
        await before
        isHeldUp = false
        signal.throwIfAborted()
        const answer = await calls.answer(call, signal, answered)
        if (call.name === 'kv.set' && answer.ok) reach('key-value-held')
        return answer
      },
    }
    let result: RunResult | null
    try {
      result = before === null ? await runtime.runUnlessRecalled(request) : await runtime.runAhead(request)
    } catch (error) {
      // An older version that was being loaded for this delivery alone, and was given up with another save.
      log.warn({ ...factsOf(lease), reason: messageOf(error) }, 'Could not be run; trying again')
      return settlementOf(lease, 'release', null)
    }
    if (result === null) return null
    // While the one before it could not be settled it used its time, and has asked for nothing.
    if (isHeldUp && result.outcome === 'timed-out' && histories.every(hasAskedNothing)) return null
    reach('run-ended')
    writeLog(log, lease, result)
    if (lease.resource !== null && histories.some(hasEffects)) {
      onEffects(script, {
        name: `${lease.script} ${lease.callback}`,
        resource: lease.resource.id,
        idempotencyKey: lease.idempotencyKey,
        cause: causeOf(lease),
      })
    }
    const run = recordOf(script, lease, result, histories)
    if (result.outcome === 'ok') {
      return { ...settlementOf(lease, 'done', run), keyValueWrites: histories.at(-1)!.keyValueWrites() }
    }
    const next = after(lease, result, script, random())
    if ('delayMs' in next) return { ...settlementOf(lease, 'retry', run), delayMs: next.delayMs }
    // The next heartbeat comes anyway.
    if (lease.resource === null) return settlementOf(lease, 'done', run)
    log.warn(
      { script: lease.script, seq: lease.seq, delivery: lease.delivery },
      `Set aside, until it is retried or dropped: ${next.lastBecause}`,
    )
    return settlementOf(lease, 'dead', { ...run, reason: JSON.stringify({ ...result.error, ...next }) })
  }
}

function after(lease: Lease, result: RunResult, script: ScriptInForce, random: number): NextTry {
  const { wish, durationMs } = result
  if (wish === 'give-up') return { lastBecause: 'The script gave up' }
  const ageMs = lease.leasedAtMs - lease.changedAtMs + durationMs
  const retryAfterMs = wish?.retryAfterMs ?? null
  if (lease.resource === null && retryAfterMs === null) return { lastBecause: 'The next one comes anyway' }
  return nextTry(script.manifest.retry, { attempt: lease.attempt, ageMs, retryAfterMs }, random)
}

function settlementOf(lease: Lease, next: Settlement['next'], run: RunRecord | null): Settlement {
  return { delivery: lease.delivery, fence: lease.fence, next, delayMs: 0, run, keyValueWrites: [] }
}

const hasAskedNothing = (calls: CallHistory) => calls.records().length === 0

function hasEffects(calls: CallHistory): boolean {
  return calls.records().some(({ name, ok }) => ok && (name === 'send' || name === 'http'))
}

/** The run that posted the instance that is told of. */
function causeOf({ event }: Lease): string | null {
  const { origin } = JSON.parse(event!) as { origin?: { cause?: string } }
  return origin?.cause ?? null
}

/** Told of what was added, a script that wants only that sends no more than that of the resource. */
function sendsOnly({ resource, late }: Lease, { manifest }: ScriptInForce): CallContext['sendsOnly'] {
  if (manifest.late !== 'delta' || resource === null || late === null || late.sinceRevision === 0) return null
  return { ...resource, addedAfter: late.addedAfter, addedUpTo: late.addedUpTo }
}

function withoutRun(version: string, outcome: 'skipped' | 'refused', reason: string): RunRecord {
  return { ...nothingRan, version, outcome, reason: JSON.stringify({ message: reason }), event: null }
}

function recordOf(
  { version, manifest }: ScriptInForce,
  { resource, event, isAsLogged }: Lease,
  result: RunResult,
  histories: readonly CallHistory[],
): RunRecord {
  return {
    version,
    // A heartbeat that fails is not tried again, unless its script asks for that.
    attempts: resource === null ? null : manifest.retry.attempts,
    outcome: result.outcome,
    reason: result.error === null ? null : JSON.stringify(result.error),
    durationMs: result.durationMs,
    cpuMs: result.cpuMs,
    memoryBytes: result.memoryBytes,
    logs: JSON.stringify(result.logs),
    hostCalls: JSON.stringify(histories.flatMap((calls) => calls.records())),
    event: isAsLogged ? null : event,
  }
}

const factsOf = ({ script, callback, seq }: Lease) => ({ script, callback, seq })

function writeLog(log: Log, lease: Lease, { logs, outcome, error, durationMs }: RunResult): void {
  const facts = factsOf(lease)
  for (const { level, text } of logs) log[level](facts, text)
  if (outcome === 'ok') log.debug({ ...facts, durationMs }, 'Ran')
  else
    log.warn(
      { ...facts, outcome, attempt: lease.attempt, line: error?.line ?? null },
      error?.message ?? outcome,
    )
}
