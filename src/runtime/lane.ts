/**
 * A version of a script that is loaded: its isolate in one of the children, and the line of its runs, of which
 * one at a time is at work.
 */
import type { Log } from '../log.ts'
import type { ChildProcess, TaskEnd } from './child-process.ts'
import type { RunRecord } from './run-record.ts'
import type { LogLine, Program, RunRequest } from './runtime.ts'
import { type FindPlace, mapPlaces, placeFinder } from './script-error.ts'

/** How long `finalize` may take. */
const finalizeMs = 1_000

/** How a task ended, and what to call it in messages. */
export interface Attempt {
  readonly what: string
  readonly end: TaskEnd
}

export class Lane {
  readonly program: Program
  readonly findPlace: FindPlace
  readonly #log: Log
  /** Names the isolate in the children: a version that is loaded again while it is unloaded gets another. */
  readonly #isolate: string
  #child: ChildProcess | null = null
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(program: Program, log: Log, number: number) {
    this.program = program
    this.#isolate = `${program.version}#${number}`
    this.findPlace = placeFinder(program.sourceMap)
    this.#log = log.child({ script: program.script })
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

  /** Makes the isolate in that child; every later run there uses it. */
  async load(child: ChildProcess): Promise<Attempt> {
    const { code, script, limits } = this.program
    const end = await child.perform({
      message: {
        type: 'load',
        version: this.#isolate,
        timeoutMs: limits.timeoutMs,
        memoryMb: limits.memoryMb,
      },
      body: code,
      onLog: (line) => this.#logOutsideRuns(line),
      onCall: null,
    })
    this.#child = end.kind === 'ended' && end.outcome === 'ok' ? child : null
    return { what: `Loading "${script}"`, end }
  }

  /** One run in that child; the version is loaded first where it is not. */
  async run(child: ChildProcess, request: RunRequest, record: RunRecord): Promise<Attempt> {
    if (this.#child !== child) {
      const loading = await this.load(child)
      if (this.#child === null) return loading
    }
    const { limits } = this.program
    const end = await child.perform({
      message: {
        type: 'run',
        version: this.#isolate,
        callback: request.callback,
        timeoutMs: limits.timeoutMs,
      },
      body: request.event,
      onLog: (line) => record.addLine(line),
      onCall: (name, argumentsJson) => record.answer(name, argumentsJson),
    })
    if (end.kind === 'lost' || end.disposed) this.#child = null
    return { what: 'The run', end }
  }

  /** Calls `finalize`, best effort, and drops the isolate. */
  async finalize(): Promise<void> {
    const child = this.#child
    this.#child = null
    await child?.perform({
      message: { type: 'unload', version: this.#isolate, timeoutMs: finalizeMs },
      body: '',
      onLog: (line) => this.#logOutsideRuns(line),
      onCall: null,
    })
  }

  #logOutsideRuns({ level, text }: LogLine): void {
    this.#log[level](mapPlaces(text, this.findPlace))
  }
}
