/**
 * From the end of a task to what its script is told: the outcome, and an error that names a limit it met.
 */
import { caps } from './caps.ts'
import { type WireThrown, wireLoaded, wireThrown } from './protocol.ts'
import type { Limits, Loaded, RunOutcome, RunResult, ScriptError, Wish } from './runtime.ts'
import { type FindPlace, scriptError } from './script-error.ts'
import type { TaskEnd } from './tasks.ts'

export interface Judgement {
  readonly outcome: RunOutcome
  /** Null when `ok`. */
  readonly error: ScriptError | null
  readonly wish: Wish | null
  readonly answer: RunResult['answer']
}

/** @param what the subject of the messages, such as `The run` */
export function judge(end: TaskEnd, what: string, limits: Limits, findPlace: FindPlace): Judgement {
  if (end.kind === 'ended' && end.outcome === 'ok') {
    return { outcome: 'ok', error: null, wish: null, answer: parseAnswer(end.body) }
  }
  const thrown = end.kind === 'ended' ? parseThrown(end.body) : null
  const outcome = thrown !== null && isRefusedBuffer(thrown) ? 'out-of-memory' : outcomeOf(end)
  const fail = (name: string, message: string): Judgement => ({
    outcome,
    error: scriptError({ name, message, stack: thrown?.stack ?? '' }, findPlace),
    wish: null,
    answer: null,
  })
  switch (outcome) {
    case 'timed-out': {
      if (end.outcome === 'out-of-cpu') {
        const limit = limits.cpuMs.toLocaleString('en-US')
        return fail('CpuLimit', `${what} was at work for longer than its limit of ${limit} ms (cpu)`)
      }
      const limit = limits.timeoutMs.toLocaleString('en-US')
      return fail('TimeLimit', `${what} took longer than its limit of ${limit} ms (timeout)`)
    }
    case 'out-of-memory': {
      const limit = `its limit of ${limits.memoryMb} MB (memoryMb)`
      if (end.kind === 'ended') return fail('MemoryLimit', `${what} needed more than ${limit}`)
      return fail(
        'MemoryLimit',
        `${what} needed more than ${limit}, or than its process may hold. ${end.reason}`,
      )
    }
    case 'crashed':
      return fail('Crashed', crashMessage(end, what, thrown))
    case 'ok':
    case 'threw': {
      const error = thrown ?? { name: 'Error', message: 'The script threw something unreadable', stack: '' }
      return { outcome: 'threw', error: scriptError(error, findPlace), wish: wishOf(error), answer: null }
    }
    default:
      return outcome satisfies never
  }
}

/** A child says what it likes: anything else is no answer. */
function parseAnswer(body: string): RunResult['answer'] {
  if (body === 'true' || body === 'false') return body === 'true'
  return /^\d{1,5}$/.test(body) ? Number(body) : null
}

function wishOf({ retryAfterMs, givesUp }: WireThrown): Wish | null {
  if (givesUp) return 'give-up'
  return retryAfterMs === undefined ? null : { retryAfterMs }
}

/** A child that says of a run at its turn that it was not begun does not do its work. */
function outcomeOf({ outcome }: TaskEnd): RunOutcome {
  if (outcome === 'not-begun') return 'crashed'
  return outcome === 'out-of-cpu' ? 'timed-out' : outcome
}

function crashMessage(end: TaskEnd, what: string, thrown: WireThrown | null): string {
  if (end.kind === 'ended') return `${what} could not be made: ${thrown?.message ?? 'no reason was given'}`
  if (end.blame === 'this') return `${what} ended the process that it ran in. ${end.reason}`
  return `${what} was cut short because the process that it shared ended. ${end.reason}. It may be run again`
}

function parseThrown(body: string): WireThrown | null {
  if (body === '') return null
  try {
    const { name, message, stack, ...verdict } = wireThrown.parse(JSON.parse(body))
    // The isolate keeps to these lengths; a child that does not would have us look for places without end.
    const cut = (text: string) => text.slice(0, caps.errorLength + 1)
    return {
      ...verdict,
      name: name.slice(0, 100),
      message: cut(message),
      stack: stack.slice(0, 4 * caps.errorLength),
    }
  } catch {
    return null
  }
}

/** Array buffers are refused by an error that a script may catch; one that gets through is the memory limit. */
function isRefusedBuffer({ name, message }: WireThrown): boolean {
  return name === 'RangeError' && message === 'Array buffer allocation failed'
}

/** What a version says of itself; null if that cannot be read. */
export function parseLoaded(body: string): Loaded | null {
  if (body.length > caps.manifestLength) return null
  try {
    const { functions, manifest } = wireLoaded.parse(JSON.parse(body))
    return { functions, manifest }
  } catch {
    return null
  }
}
