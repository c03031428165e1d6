/**
 * A version of a script that is loaded: its isolate in one of the children, and the line of its runs, of which
 * one at a time is at work.
 */
import type { Log } from '../log.ts'
import { caps } from './caps.ts'
import type { ChildProcess } from './child-process.ts'
import type { RunRecord } from './run-record.ts'
import type { Limits, LogLine, Program, RunRequest } from './runtime.ts'
import { type FindPlace, mapPlaces } from './script-error.ts'
import { stayAwake } from './stay-awake.ts'
import { isolateName, type TaskEnd } from './tasks.ts'

/** How long `finalize` may take. */
const finalizeMs = 1_000

/** How a task ended, and what to call it in messages. */
export interface Attempt {
  readonly what: string
  /** Those that it had, where they are not those of a run. */
  readonly limits?: Limits
  readonly end: TaskEnd
  /** From its begin to its end. */
  readonly durationMs: number
}

const notBegun: Attempt = {
  what: 'The run',
  end: { kind: 'ended', outcome: 'not-begun', body: '', cpuMs: 0, memoryBytes: 0, disposed: false },
  durationMs: 0,
}

/** A run in a child. */
interface Place {
  readonly child: ChildProcess
  readonly run: number
}

/** A run that others may follow. Only the first thing that is said of it counts. */
export interface Announced {
  handedOver(place: Place): void
  cameToNothing(): void
}

export class Lane {
  readonly program: Program
  readonly findPlace: FindPlace
  readonly #log: Log
  /** Names the isolate in the children: a version that is loaded again while it is unloaded gets another. */
  readonly #isolate: string
  #child: ChildProcess | null = null
  /** Where the last run is that was asked for, once it has been handed over. */
  #lastHanded: Promise<Place | null> = Promise.resolve(null)
  #recalls = 0
  /** When the last task ended. */
  #freeSinceMs = 0
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** @param findPlace of the program, of whose map there is one for all of its lanes */
  constructor(program: Program, findPlace: FindPlace, log: Log, number: number) {
    this.program = program
    this.#isolate = isolateName(program.version, number)
    this.findPlace = findPlace
    this.#log = log
  }

  get isIdle(): boolean {
    return this.#waiting === 0
  }

  /** Does the work when all that stands in line before it is done. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiting++
    const result = this.#tail.then(work)
    const done = () => {
      this.#waiting--
    }
    this.#tail = result.then(done, done)
    return result
  }

  /** Does the work now; what stands in line after this waits for it, too. */
  alongside<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = work()
    this.inTurn(() => result).catch(() => {})
    return result
  }

  /**
   * Makes the isolate in that child; every later run there uses it.
   * @param signal aborted when nobody wants it any more: then it ends soon, and not well
   */
  async load(child: ChildProcess, signal?: AbortSignal): Promise<Attempt> {
    const { code, script, loadMs } = this.program
    const own = loadMs === undefined ? {} : { timeoutMs: loadMs, cpuMs: loadMs }
    const limits = { ...this.program.limits, ...own }
    const message = { type: 'load', version: this.#isolate, ...limits } as const
    let logLength = 0
    const onLog = (line: LogLine) => {
      logLength += line.text.length + caps.logLineOverheadBytes
      if (logLength <= caps.logBytes * 2) this.#logOutsideRuns(line)
    }
    const startedMs = performance.now()
    const { id, ended } = child.perform({ message, body: code, onLog, onCall: null })
    const abandon = () => child.abandon(id)
    if (signal?.aborted) abandon()
    signal?.addEventListener('abort', abandon)
    const end = await ended
    signal?.removeEventListener('abort', abandon)
    this.#child = end.kind === 'ended' && end.outcome === 'ok' ? child : null
    return { what: `Loading "${script}"`, limits, end, durationMs: performance.now() - startedMs }
  }

  /** Says that a run is coming, which those that are handed over ahead from now on are to follow. */
  announce(): Announced {
    const { promise, resolve } = Promise.withResolvers<Place | null>()
    this.#lastHanded = promise
    return { handedOver: resolve, cameToNothing: () => resolve(null) }
  }

  /**
   * One run in that child; the version is loaded first where it is not.
   * @param mayBegin asked when all is ready, which may take a while, of a run that has never asked for anything
   */
  async run(
    child: ChildProcess,
    request: RunRequest,
    record: RunRecord,
    announced: Announced,
    mayBegin: () => boolean,
  ): Promise<Attempt> {
    if (this.#child !== child) {
      await this.finalize()
      const loading = await this.load(child)
      if (this.#child === null) return loading
    }
    if (!record.hasEverAsked && !mayBegin()) return notBegun
    return this.#perform(child, request, record, announced, null)
  }

  /**
   * One run that begins as soon as the one that was asked for before it has ended well. One that had asked for
   * things when its child ended comes back as lost.
   * @returns null if it has done nothing: it was not begun, or its child ended before it asked for anything
   */
  async runAhead(request: RunRequest, record: RunRecord): Promise<Attempt | null> {
    const before = this.#lastHanded
    const announced = this.announce()
    const recalls = this.#recalls
    const place = await before
    if (place === null || place.child !== this.#child || recalls !== this.#recalls) {
      announced.cameToNothing()
      return null
    }
    const attempt = await this.#perform(place.child, request, record, announced, place.run)
    const { end } = attempt
    if (end.kind === 'ended') return end.outcome === 'not-begun' && !record.hasAsked ? null : attempt
    return end.blame !== 'this' && !record.hasAsked ? null : attempt
  }

  /** How often what had not begun was recalled. */
  get recalls(): number {
    return this.#recalls
  }

  /** What was handed over ahead and has not begun is not to begin. */
  recall(): void {
    this.#recalls++
    this.#child?.recall(this.#isolate)
  }

  async #perform(
    child: ChildProcess,
    request: RunRequest,
    record: RunRecord,
    announced: Announced,
    after: number | null,
  ): Promise<Attempt> {
    const message = {
      type: 'run',
      version: this.#isolate,
      callback: request.callback,
      timeoutMs: this.program.limits.timeoutMs,
      cpuMs: this.program.limits.cpuMs,
    } as const
    const handedMs = performance.now()
    const run = child.perform(
      {
        message,
        body: request.event,
        onLog: (line) => record.addLine(line),
        onCall: record.answer,
      },
      after,
    )
    announced.handedOver({ child, run: run.id })
    if (after === null) stayAwake(() => child.hasOnly(run.id))
    const end = await run.ended
    const endedMs = performance.now()
    const durationMs = endedMs - Math.max(handedMs, this.#freeSinceMs)
    // One that was not begun comes back while the one before it is at work.
    if (end.kind === 'lost' || end.outcome !== 'not-begun') this.#freeSinceMs = endedMs
    if (child === this.#child && (end.kind === 'lost' || end.disposed)) this.#child = null
    return { what: 'The run', end, durationMs }
  }

  /** Calls `finalize`, best effort, and drops the isolate. */
  async finalize(): Promise<void> {
    const child = this.#child
    this.#child = null
    await child?.perform({
      message: { type: 'unload', version: this.#isolate, timeoutMs: finalizeMs, cpuMs: finalizeMs },
      body: '',
      onLog: (line) => this.#logOutsideRuns(line),
      onCall: null,
    }).ended
  }

  #logOutsideRuns({ level, text }: LogLine): void {
    this.#log[level]({ script: this.program.script }, mapPlaces(text, this.findPlace))
  }
}
