/**
 * Questions: scripts are asked once, for a short time, whether something may go on. One that is slow, broken or busy
 * counts as its manifest says. The first that refuses decides.
 *
 *   question ─► each script that answers it ─► isolate for questions ─┬─ true ─► the next
 *                                        └─ no answer in time ─► onFailure ─┴─ false ─► refused
 */
import { fault } from '../errors.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../log.ts'
import type { RunResult, Runtime } from '../runtime/runtime.ts'
import { type AskedScript, type AskName, askVersionOf, type ScriptInForce } from '../scripts/scripts.ts'
import { Breaker } from './breaker.ts'
import { Places } from './places.ts'

/** Questions of a kind that one script has at a time; further ones wait, within their own time. */
const mostAtATime = 64

/** One kind of question to a version of a script. */
interface AskState {
  readonly version: string
  readonly breaker: Breaker
  readonly places: Places
  lastFailure: Omit<Unanswered, 'times'> | null
}

/** A question that a script did not answer when it was last asked. */
export interface Unanswered {
  readonly callback: AskName
  /** In a row. */
  readonly times: number
  /** ISO 8601, UTC: of the last. */
  readonly at: string
  readonly reason: string
  /** What counts instead. */
  readonly counts: 'accept' | 'reject'
}

export interface AskParts {
  readonly asked: (callback: AskName) => readonly AskedScript[]
  readonly runtime: Pick<Runtime, 'run'>
  readonly host: Host
  readonly log: Log
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export interface Verdict {
  readonly accepted: boolean
  /** False: it gave none, and what its manifest says then counts. */
  readonly isAnswer: boolean
  /** The script that refused. */
  readonly script: string | null
  /** The DIMSE status that it wants the sender to be told; null: it did not say. */
  readonly status: number | null
}

export interface Asking {
  /** Whether there is anybody to ask. */
  isAsked(callback: AskName): boolean
  /**
   * Never rejects.
   * @param facts what the question is about; made into JSON once
   * @param subject the same for the log, which names no patient
   */
  ask(callback: AskName, facts: object, subject: Subject): Promise<Verdict>
  /** What a version of a script does not answer, as this server found. */
  unanswered(version: string | null): Unanswered[]
  /** Another version of a script is in force. */
  forget(): void
}

export type Subject = Readonly<Record<string, string>>

const accepted: Verdict = { accepted: true, isAnswer: true, script: null, status: null }

export function createAsking({ asked, runtime, host, log, now }: AskParts): Asking {
  /** Since the scripts changed last. */
  const answering = new Map<AskName, readonly AskedScript[]>()
  const states = new Map<string, AskState>()
  const answeringTo = (callback: AskName) => {
    const known = answering.get(callback) ?? asked(callback)
    answering.set(callback, known)
    return known
  }
  const stateOf = (callback: AskName, { version }: ScriptInForce): AskState => {
    const name = `${version} ${callback}`
    const known = states.get(name)
    if (known !== undefined) return known
    const fresh = { version, breaker: new Breaker(), places: new Places(mostAtATime), lastFailure: null }
    states.set(name, fresh)
    return fresh
  }

  const askOne = async (
    callback: AskName,
    { script, silence }: AskedScript,
    event: string,
    subject: Subject,
  ): Promise<Verdict> => {
    const state = stateOf(callback, script)
    const { onFailure, timeoutMs } = script.manifest.ask
    const fallBack = (reason: string, wasAsked = true): Verdict => {
      const facts = { script: script.name, callback, ...subject, reason, counts: onFailure }
      if (wasAsked)
        state.lastFailure = { callback, at: new Date(now()).toISOString(), reason, counts: onFailure }
      if (wasAsked && state.breaker.failed()) {
        log.error(facts, 'A question is not answered, again and again: it is asked only now and then')
      } else log[onFailure === 'reject' ? 'warn' : 'debug'](facts, 'A question was not answered')
      return onFailure === 'accept' ? accepted : { ...refusal(script, null), isAnswer: false }
    }
    if (silence !== null) return fallBack(`The script is ${silence}`)
    if (!state.breaker.mayAsk(performance.now())) return fallBack('It failed again and again', false)
    // One that nobody waits for any more is in line still, and keeps its place.
    const answer = async (signal: AbortSignal) => {
      const leave = await state.places.take(signal)
      return leave === null ? null : runOne(callback, script, event).finally(leave)
    }
    try {
      const result = await withinMs(timeoutMs, answer)
      if (result === null) return fallBack(`It took longer than its ${timeoutMs} ms (ask.timeout)`)
      const told = { script: script.name, callback }
      for (const { level, text } of result.logs) log[level](told, text)
      if (result.outcome !== 'ok') return fallBack(result.error?.message ?? result.outcome)
      const verdict = verdictOf(callback, script, result.answer)
      if (verdict === null) return fallBack('It answered with neither true nor false')
      state.breaker.answered()
      if (!verdict.accepted) log.info({ ...told, ...subject, status: verdict.status }, 'Refused')
      return verdict
    } catch (error) {
      return fallBack(error instanceof Error ? error.message : String(error))
    }
  }

  const runOne = (callback: AskName, script: ScriptInForce, event: string): Promise<RunResult> => {
    const calls = host.begin({
      script: script.name,
      needs: { send: [], http: [] },
      idempotencyKey: '',
      sendsOnly: null,
      isLive: () => true,
    })
    return runtime.run({
      version: askVersionOf(script.version),
      callback,
      event,
      async answer(call, signal, answered) {
        if (harmless.has(call.name)) return calls.answer(call, signal, answered)
        const { code, message } = fault(
          'not-granted',
          `host.${call.name} cannot be called while a question is answered: an answer has no effects`,
        )
        return { ok: false, error: { code, message } }
      },
    })
  }

  return {
    isAsked: (callback) => answeringTo(callback).length > 0,
    async ask(callback, facts, subject) {
      const event = JSON.stringify(facts)
      for (const each of answeringTo(callback)) {
        const verdict = await askOne(callback, each, event, subject)
        if (!verdict.accepted) return verdict
      }
      return accepted
    },
    unanswered(version) {
      return [...states.values()].flatMap(({ version: of, breaker: { failures: times }, lastFailure }) =>
        of === version && times > 0 && lastFailure !== null ? [{ ...lastFailure, times }] : [],
      )
    },
    forget() {
      answering.clear()
      states.clear()
    },
  }
}

/** They only look. */
const harmless: ReadonlySet<string> = new Set(['get', 'hash', 'kv.get', 'kv.list'])

/** Null: that is no answer to this question. */
function verdictOf(callback: AskName, script: ScriptInForce, answer: RunResult['answer']): Verdict | null {
  if (typeof answer === 'boolean') return answer ? accepted : refusal(script, null)
  // After 0xFF00 and 0xFF01, pending, the sender would wait for a further answer.
  if (callback !== 'receivedCStoreInstanceFilter' || answer === null || answer >= 0xff00) return null
  return answer === 0 ? accepted : refusal(script, answer)
}

function refusal({ name }: ScriptInForce, status: number | null): Verdict {
  return { accepted: false, isAnswer: true, script: name, status }
}

/** Null: it took longer. @param work is told when nobody waits for it any more */
async function withinMs<T>(ms: number, work: (signal: AbortSignal) => Promise<T | null>): Promise<T | null> {
  const late = Promise.withResolvers<null>()
  const giveUp = new AbortController()
  const timer = setTimeout(() => {
    giveUp.abort()
    late.resolve(null)
  }, ms)
  const working = work(giveUp.signal)
  working.catch(() => {})
  try {
    return await Promise.race([working, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
