/**
 * The runtime in the engine's process. It knows every version that is loaded, and decides who is to blame when a
 * child dies: a run that is not, or may not be, is begun again, as long as it has not asked the host for anything.
 */
import { fault } from '../errors.ts'
import type { Log } from '../log.ts'
import { caps } from './caps.ts'
import type { ChildProcess, Death } from './child-process.ts'
import { Children } from './children.ts'
import { type Announced, type Attempt, Lane } from './lane.ts'
import { judge } from './outcome.ts'
import { wireLoaded } from './protocol.ts'
import { RunRecord } from './run-record.ts'
import type { Loaded, Program, RunRequest, RunResult, Runtime } from './runtime.ts'

export interface RuntimeOptions {
  readonly log: Log
  /** How often a child says that it is alive. Default 1 s. */
  readonly heartbeatMs?: number
  /** How long after its time limit a run may end by itself, before its process is killed. Default 1 s. */
  readonly graceMs?: number
  /** Resident memory at which a child is killed. Default 1,536. */
  readonly maxChildMemoryMb?: number
  readonly onChildDeath?: (death: Death) => void
}

/** How often a task is begun again because of others. */
const maxAttempts = 5

/** Starts the runtime with a first child. Throws when a child cannot be started. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log, heartbeatMs = 1_000, graceMs = 1_000, maxChildMemoryMb = 1_536 } = options
  const children = await Children.start({ log, heartbeatMs, graceMs, maxChildMemoryMb }, (death) => {
    log.warn({ ...death }, 'A child process of the sandbox died; its spare took over')
    options.onChildDeath?.(death)
  })
  return new Supervisor(children, log)
}

interface LoadedLane {
  readonly lane: Lane
  readonly loaded: Promise<Loaded>
}

class Supervisor implements Runtime {
  readonly #children: Children
  readonly #log: Log
  readonly #lanes = new Map<string, LoadedLane>()
  /** Unloaded, but runs in flight still use the isolate. */
  readonly #leaving = new Map<string, LoadedLane>()
  #lanesOpened = 0
  /** Settles when the last task in a child of its own has ended: one at a time. */
  #alone: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(children: Children, log: Log) {
    this.#children = children
    this.#log = log
  }

  load(program: Program): Promise<Loaded> {
    const known = this.#lanes.get(program.version) ?? this.#leaving.get(program.version)
    if (known !== undefined) {
      this.#leaving.delete(program.version)
      this.#lanes.set(program.version, known)
      return known.loaded
    }
    const lane = new Lane(program, this.#log, ++this.#lanesOpened)
    const loaded = lane.inTurn(() => this.#load(lane))
    const entry = { lane, loaded }
    this.#lanes.set(program.version, entry)
    loaded.catch(() => {
      if (this.#lanes.get(program.version) === entry) this.#lanes.delete(program.version)
    })
    return loaded
  }

  async unload(version: string): Promise<void> {
    const known = this.#lanes.get(version)
    if (known === undefined) return
    this.#lanes.delete(version)
    this.#leaving.set(version, known)
    await known.lane.inTurn(async () => {
      // It may have been loaded again in the meantime.
      if (this.#leaving.get(version) !== known) return
      this.#leaving.delete(version)
      await known.lane.finalize()
    })
  }

  run(request: RunRequest): Promise<RunResult> {
    const lane = this.#lanes.get(request.version)?.lane
    if (lane === undefined) {
      return Promise.reject(fault('internal', `Version "${request.version}" is not loaded: load it first`))
    }
    const announced = lane.announce()
    return lane.inTurn(() => this.#run(lane, request, announced).finally(announced.cameToNothing))
  }

  async runAhead(request: RunRequest): Promise<RunResult | null> {
    const lane = this.#lanes.get(request.version)?.lane
    if (lane === undefined || isTooLong(request.event)) return null
    const record = new RunRecord(request, lane.findPlace, this.#log)
    const attempt = await lane.alongside(() => lane.runAhead(request, record))
    record.end()
    return attempt === null ? null : resultOf(lane, attempt, record, attempt.durationMs)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const lanes = [...this.#lanes.values(), ...this.#leaving.values()]
    const idle = lanes.filter(({ lane }) => lane.isIdle)
    await Promise.all(idle.map(({ lane }) => lane.finalize()))
    await this.#children.close()
    await Promise.all(lanes.map(({ lane }) => lane.inTurn(async () => {})))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #load(lane: Lane): Promise<Loaded> {
    const { program, findPlace } = lane
    const bytes = Buffer.byteLength(program.code)
    if (bytes > caps.codeBytes) {
      const found = `${bytes} bytes with all that it imports, expected at most ${caps.codeBytes}`
      throw fault('script-refused', `Script "${program.script}" is ${found}`)
    }
    const { end, what } = await this.#attempt((child) => lane.load(child))
    const { error } = judge(end, what, program.limits, findPlace)
    if (error === null && end.kind === 'ended') {
      const { functions, manifest } = wireLoaded.parse(JSON.parse(end.body))
      return { functions, manifest }
    }
    const message = `Script "${program.script}" was refused: ${error?.message}`
    throw fault('script-refused', message, { cause: error })
  }

  async #run(lane: Lane, request: RunRequest, announced: Announced): Promise<RunResult> {
    const startedAt = performance.now()
    let record = new RunRecord(request, lane.findPlace, this.#log)
    const attempt = isTooLong(request.event)
      ? eventTooLong
      : await this.#attempt(
          (child) => {
            record = new RunRecord(request, lane.findPlace, this.#log)
            return lane.run(child, request, record, announced)
          },
          () => !record.hasAsked,
        )
    record.end()
    return resultOf(lane, attempt, record, performance.now() - startedAt)
  }

  /** Tries until the task has ended, or is to blame for the end of a child, or may not be begun again. */
  async #attempt(
    work: (child: ChildProcess) => Promise<Attempt>,
    mayRepeat: () => boolean = () => true,
  ): Promise<Attempt> {
    let attempt = closedAttempt
    for (let tries = 0; tries < maxAttempts && !this.#isClosed; tries++) {
      const child = await this.#children.current.catch(() => null)
      if (child === null) break
      attempt = await work(child)
      if (attempt.end.kind === 'ended' || attempt.end.blame === 'this' || !mayRepeat()) break
      if (attempt.end.blame === 'another') {
        // A child that is being killed takes nothing more, and is the current one until it is gone.
        await child.gone
        continue
      }
      const alone = this.#alone.then(() => this.#attemptAlone(work))
      this.#alone = alone
      attempt = (await alone) ?? attempt
      break
    }
    return attempt
  }

  /** In a child of its own, whose end is this task's own doing. Null if the runtime is closed. */
  async #attemptAlone(work: (child: ChildProcess) => Promise<Attempt>): Promise<Attempt | null> {
    const child = await this.#children.startOwn().catch(() => null)
    if (child === null) return null
    try {
      return await work(child)
    } finally {
      await child.close()
    }
  }
}

const isTooLong = (event: string) => Buffer.byteLength(event) > caps.eventBytes

function resultOf(lane: Lane, { end, what }: Attempt, record: RunRecord, durationMs: number): RunResult {
  const { cpuMs, memoryBytes } = end.kind === 'ended' ? end : { cpuMs: 0, memoryBytes: 0 }
  const judgement = judge(end, what, lane.program.limits, lane.findPlace)
  return { ...judgement, logs: record.logs, durationMs, cpuMs, memoryBytes }
}

const closedAttempt: Attempt = {
  what: 'The run',
  end: {
    kind: 'lost',
    blame: 'another',
    outcome: 'crashed',
    reason: 'The runtime was closed',
  },
  durationMs: 0,
}

const eventTooLong: Attempt = {
  what: 'The run',
  end: {
    kind: 'ended',
    outcome: 'threw',
    body: JSON.stringify({
      name: 'RangeError',
      message: `The event is longer than ${caps.eventBytes / 1024 / 1024} MB as JSON`,
      stack: '',
    }),
    cpuMs: 0,
    memoryBytes: 0,
    disposed: false,
  },
  durationMs: 0,
}
