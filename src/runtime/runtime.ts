/**
 * Runs a callback of a script in an isolate, in a process of its own. It knows no DICOM and no database.
 * Door of the folder.
 */
import type { HostCall } from './protocol.ts'

export { type RuntimeOptions, startRuntime } from './start.ts'

/** What a version of a script is to the runtime. */
export interface Program {
  /** Content hash: names the version. */
  readonly version: string
  /** The script's file name; only for messages. */
  readonly script: string
  /** A classic script that defines the global `__exports` (esbuild's `iife` with that `globalName`). */
  readonly code: string
  /** Source map of `code`, as JSON. */
  readonly sourceMap: string
  readonly limits: Limits
  /** Wall time of the load and its work, where runs have less. Default: that of `limits`. */
  readonly loadMs?: number
  /** `process`: never in one process with other scripts. */
  readonly isolation: 'shared' | 'process'
  /** With a process of its own: somebody waits for its runs, which are not to give way to others. */
  readonly isUrgent?: boolean
}

export interface Limits {
  /** Wall time of one run, waiting included. */
  readonly timeoutMs: number
  /** Time that one run may be at work, waiting not included. */
  readonly cpuMs: number
  /** Heap of the isolate. */
  readonly memoryMb: number
}

/** What a script says of itself when it is loaded. */
export interface Loaded {
  /** Names of the exported functions. */
  readonly functions: readonly string[]
  /** The export `script` as plain data; undefined if there is none. */
  readonly manifest: unknown
}

export type RunOutcome = 'ok' | 'threw' | 'timed-out' | 'out-of-memory' | 'crashed'

/** An error of a script, as its author should see it: places are those of the source file. */
export interface ScriptError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly text: string
}

export interface RunRequest {
  readonly version: string
  readonly callback: string
  /** The event as JSON text; it goes to the isolate untouched. */
  readonly event: string
  /** Which of the runs that a version may have at a time, from 0: each is an isolate of its own. Default 0. */
  readonly slot?: number
  /** Answers a call that the callback makes; must not throw for what a script does wrong. */
  readonly answer: AnswerCall
  /** The run begins anew, since another one ended its process: what it asked for so far is done, but not by it. */
  readonly onBeginAgain?: () => void
}

/**
 * @param signal aborted when nobody waits for the answer any more
 * @param answered resolves when the answer has left for the child: a large one is on its way for a while
 */
export type AnswerCall = (call: HostCall, signal: AbortSignal, answered: Promise<void>) => Promise<HostAnswer>

/** `value` and `error` are JSON text. */
export type HostAnswer =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly error: WireError }
export interface WireError {
  readonly code: string
  readonly message: string
}

/** `host.retryAfter`: told again then. `host.giveUp`: never again. */
export type Wish = { readonly retryAfterMs: number } | 'give-up'

export interface RunResult {
  readonly outcome: RunOutcome
  /** Null when `ok`. For a limit, the message names it and its number. */
  readonly error: ScriptError | null
  /** What the callback returned, if that was a boolean or a whole number of up to five digits. */
  readonly answer: boolean | number | null
  /** What the script wants of its delivery, by what it threw. */
  readonly wish: Wish | null
  readonly logs: readonly LogLine[]
  readonly durationMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
}

/** A version that must not be served any more, until someone has looked at it. */
export interface Suspension {
  readonly script: string
  readonly version: string
  readonly reason: string
}

export interface Runtime extends AsyncDisposable {
  /**
   * Makes an isolate for a version, evaluates it and calls its `initialize`. Loading what is loaded already
   * changes nothing. Throws `script-refused` with a `ScriptError` as its cause when the code or `initialize`
   * throws or meets a limit; `internal` soon after the `signal` of whoever began it is aborted, and after `close`.
   */
  load(program: Program, signal?: AbortSignal): Promise<Loaded>
  /** Calls `finalize` (best effort) and drops the isolate, after the runs that are in flight. */
  unload(version: string): Promise<void>
  /**
   * Never rejects for what a script does. Runs of one version and slot are started in the order of the calls, one
   * at a time. A run that another one took down with its process is begun again.
   */
  run(request: RunRequest): Promise<RunResult>
  /**
   * The same, unless it is recalled before it has begun: it may wait for a process, or for its version to be loaded.
   * @returns null if it did nothing, because it was recalled
   */
  runUnlessRecalled(request: RunRequest): Promise<RunResult | null>
  /**
   * Hands a run over while the one before it, of the same version, is still at work: it begins as soon as that
   * has ended well, which saves a journey between two short ones.
   * @returns null if it did nothing, because the one before it did not end well, its process ended or it was recalled:
   *   what comes next is the caller's to decide
   */
  runAhead(request: RunRequest): Promise<RunResult | null>
  /** What was handed over of any version of a script is not begun, if it is not yet; a `run` is all the same. */
  recall(script: string): void
  /** Ends the children; runs in flight end `crashed`. */
  close(): Promise<void>
}

export type { HostCall }
