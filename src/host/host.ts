/**
 * Answers what scripts ask of the engine: parses, permits, does, and records every call. Door of the folder.
 */
import type { Settings } from '../config.ts'
import { fault, messageOf, OnStableError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { AnswerCall } from '../runtime/runtime.ts'
import type { KeyValueWrite } from '../store/store.ts'
import { type CallRecord, recordCalls } from './call-record.ts'
import type { ParsedHostCall } from './calls.ts'
import { type GetRoute, handle, type Send, type SendsOnly } from './handle.ts'
import { holdKeyValue, type MemoryStore } from './held-key-value.ts'
import { openHttp } from './http-call.ts'
import { parseCall } from './parse.ts'
import { missingGrants, type Needs, permissionsOf } from './permissions.ts'
import { Turns } from './turns.ts'

export { type CallRecord, type GetRoute, missingGrants, type Needs, type Send, type SendsOnly }

export interface HostParts {
  readonly settings: Pick<Settings, 'grants' | 'modalities'>
  readonly store: MemoryStore
  /** Asks the REST face. */
  readonly get: GetRoute
  readonly send: Send
  readonly log: Log
}

/** One run of a script, as far as its calls are concerned. */
export interface CallContext {
  readonly script: string
  /** Of its manifest. */
  readonly needs: Needs
  readonly idempotencyKey: string
  /** What a send of the resource that is told of is limited to; null: all of it. */
  readonly sendsOnly: SendsOnly | null
  /** Whether the lease of the run is still ours. */
  readonly isLive: () => boolean
}

/** The calls of one run: answers to give, and what remains of them when the run has ended. */
export interface CallHistory {
  /** Never rejects: what a script does wrong is an answer. */
  readonly answer: AnswerCall
  records(): readonly CallRecord[]
  /** What the run wrote to its memory, to be committed with its end or forgotten. */
  keyValueWrites(): readonly KeyValueWrite[]
}

export interface Host extends AsyncDisposable {
  begin(context: CallContext): CallHistory
  close(): Promise<void>
}

/** Calls that other servers take most of the time of. */
const waitsForOthers: ReadonlySet<ParsedHostCall['name']> = new Set(['send', 'http'])

/** Longest answer, as bytes of JSON. */
const maxAnswerBytes = 4 * 1024 * 1024

/** Longer answers have to be on their way to the child before the next turn: others wait behind them. */
const largeBytes = 64 * 1024

export function createHost({ settings, store, get, send, log }: HostParts): Host {
  const http = openHttp(Object.values(settings.grants).some((grant) => grant.http.length > 0))
  const begin = ({ script, needs, idempotencyKey, sendsOnly, isLive }: CallContext): CallHistory => {
    const permissions = permissionsOf(settings, script, needs)
    const keyValue = holdKeyValue(store, script)
    const records = recordCalls()
    const { modalities } = settings
    const parts = { get, send, http, permissions, keyValue, modalities, idempotencyKey, sendsOnly }
    const turns = new Turns()
    const answer: AnswerCall = async (call, signal, answered) => {
      const record = records.begin(call.name)
      const endTurn = await turns.take()
      let isOnItsWay = false
      try {
        if (!isLive())
          throw fault('lease-lost', 'This run is no longer the one that counts: another has taken over')
        const parsed: ParsedHostCall = parseCall(call)
        record.target(parsed)
        const handling = handle(parsed, parts, signal)
        if (waitsForOthers.has(parsed.name)) endTurn()
        const value = await handling
        const bytes = Buffer.byteLength(value)
        if (bytes > maxAnswerBytes) throw tooLong(call.name, bytes)
        record.end(bytes, null)
        if (bytes > largeBytes) isOnItsWay = true
        return { ok: true, value }
      } catch (thrown) {
        const error = knownError(thrown)
        if (error.code === 'internal')
          log.error({ script, call: call.name, err: thrown }, 'A host call failed')
        record.end(0, error.code)
        return { ok: false, error: { code: error.code, message: error.message } }
      } finally {
        if (isOnItsWay) answered.then(endTurn)
        else endTurn()
      }
    }
    return { answer, records: records.all, keyValueWrites: keyValue.writes }
  }
  return { begin, close: http.close, [Symbol.asyncDispose]: http.close }
}

function tooLong(name: string, bytes: number): OnStableError {
  return fault(
    'too-large',
    `The answer of host.${name} has ${bytes} bytes: expected at most ${maxAnswerBytes}`,
  )
}

function knownError(thrown: unknown): OnStableError {
  if (thrown instanceof OnStableError) return thrown
  return fault('internal', `The host failed: ${messageOf(thrown)}`, { cause: thrown })
}
