/**
 * The runtime in the engine's process: it knows every version that is loaded, and sees to it that each run comes to
 * an end of its own, whatever others do to the child that they share.
 */
import { fault } from '../errors.ts'
import type { Log } from '../log.ts'
import { Attempts, eventTooLong, isTooLong } from './attempts.ts'
import { caps } from './caps.ts'
import type { ChildProcess } from './child-process.ts'
import type { Children } from './children.ts'
import { Conduct } from './conduct.ts'
import { type Announced, type Attempt, Lane } from './lane.ts'
import { judge, parseLoaded } from './outcome.ts'
import { RunRecord } from './run-record.ts'
import type { Loaded, Program, RunRequest, RunResult, Runtime, Suspension } from './runtime.ts'
import { type FindPlace, placeFinder } from './script-error.ts'

interface LoadedVersion {
  readonly program: Program
  /** One for each run at a time; made when they are needed. */
  readonly lanes: Lane[]
  readonly loaded: Promise<Loaded>
}

export interface SupervisorParts {
  readonly children: Children
  readonly log: Log
  readonly onSuspend: (suspension: Suspension) => void
}

export class Supervisor implements Runtime {
  readonly #children: Children
  readonly #log: Log
  readonly #onSuspend: (suspension: Suspension) => void
  readonly #versions = new Map<string, LoadedVersion>()
  /** Unloaded, but runs in flight still use the isolates. */
  readonly #leaving = new Map<string, { readonly known: LoadedVersion }>()
  readonly #conduct = new Conduct(() => performance.now())
  readonly #attempts: Attempts
  #lanesOpened = 0

  constructor({ children, log, onSuspend }: SupervisorParts) {
    this.#children = children
    this.#log = log
    this.#onSuspend = onSuspend
    this.#attempts = new Attempts(children, this.#conduct)
  }

  load(program: Program, signal?: AbortSignal): Promise<Loaded> {
    const known = this.#versions.get(program.version) ?? this.#leaving.get(program.version)?.known
    if (known !== undefined) {
      this.#leaving.delete(program.version)
      this.#versions.set(program.version, known)
      return known.loaded
    }
    const lane = this.#openLane(program, placeFinder(program.sourceMap))
    const loaded = lane.inTurn(() => this.#load(lane, signal))
    const entry = { program, lanes: [lane], loaded }
    this.#versions.set(program.version, entry)
    loaded.catch(() => {
      if (this.#versions.get(program.version) !== entry) return
      this.#versions.delete(program.version)
      this.#forget(program)
    })
    return loaded
  }

  async unload(version: string): Promise<void> {
    const known = this.#versions.get(version)
    if (known === undefined) return
    this.#versions.delete(version)
    const leaving = { known }
    this.#leaving.set(version, leaving)
    // It may be loaded again in the meantime, and then unloaded again, after the runs until then.
    const isLeaving = () => this.#leaving.get(version) === leaving
    await Promise.all(
      known.lanes.map((lane) => lane.inTurn(async () => (isLeaving() ? lane.finalize() : undefined))),
    )
    if (!isLeaving()) return
    this.#leaving.delete(version)
    await this.#forget(known.program)
  }

  async run(request: RunRequest): Promise<RunResult> {
    const lane = this.#neededLaneOf(request)
    return (await this.#runInTurn(lane, request, () => true))!
  }

  async runUnlessRecalled(request: RunRequest): Promise<RunResult | null> {
    const lane = this.#neededLaneOf(request)
    const { recalls } = lane
    return this.#runInTurn(lane, request, () => lane.recalls === recalls)
  }

  async runAhead(request: RunRequest): Promise<RunResult | null> {
    const lane = this.#laneOf(request)
    if (lane === null) return null
    if (isTooLong(request.event)) {
      // What comes next would follow the one before, past this one.
      lane.announce().cameToNothing()
      return null
    }
    const record = new RunRecord(request, lane.findPlace, this.#log)
    return lane.alongside(async () => {
      const attempt = await lane.runAhead(request, record)
      if (attempt === null) return null
      const { end, durationMs } = attempt
      if (end.kind === 'ended' || end.blame === 'this')
        return this.#resultOf(lane, attempt, record, durationMs)
      // It has asked for things, so that its turn had come: what is left of it is a run like any other.
      record.beginAgain()
      const announced = lane.announce()
      // Those that were handed over behind it came back, and come before any that could follow it now.
      announced.cameToNothing()
      return this.#run(lane, request, record, announced, () => true)
    })
  }

  recall(script: string): void {
    for (const { program, lanes } of this.#all) {
      if (program.script === script) for (const lane of lanes) lane.recall()
    }
  }

  async close(): Promise<void> {
    this.#attempts.close()
    const lanes = this.#all.flatMap((version) => version.lanes)
    await Promise.all(lanes.filter(({ isIdle }) => isIdle).map((lane) => lane.finalize()))
    await this.#children.close()
    await Promise.all(lanes.map((lane) => lane.inTurn(async () => {})))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #all(): LoadedVersion[] {
    return [...this.#versions.values(), ...[...this.#leaving.values()].map(({ known }) => known)]
  }

  #openLane(program: Program, findPlace: FindPlace): Lane {
    return new Lane(program, findPlace, this.#log, ++this.#lanesOpened)
  }

  #laneOf({ version, slot = 0 }: RunRequest): Lane | null {
    const known = this.#versions.get(version)
    if (known === undefined) return null
    const { program, lanes } = known
    while (lanes.length <= slot) lanes.push(this.#openLane(program, lanes[0]!.findPlace))
    return lanes[slot]!
  }

  #neededLaneOf(request: RunRequest): Lane {
    const lane = this.#laneOf(request)
    if (lane !== null) return lane
    throw fault('internal', `Version "${request.version}" is not loaded: load it first`)
  }

  async #forget(program: Program): Promise<void> {
    this.#conduct.forget(program.version)
    await this.#attempts.leave(program)
  }

  async #load(lane: Lane, signal?: AbortSignal): Promise<Loaded> {
    const { program, findPlace } = lane
    const bytes = Buffer.byteLength(program.code)
    if (bytes > caps.codeBytes) {
      const found = `${bytes} bytes with all that it imports, expected at most ${caps.codeBytes}`
      throw fault('script-refused', `Script "${program.script}" is ${found}`)
    }
    const attempt = await this.#attempts.settle(lane, null, (child) => lane.load(child, signal))
    const { end, what, limits = program.limits } = attempt
    const isOk = end.kind === 'ended' && end.outcome === 'ok'
    const isAccident = end.kind === 'lost' && end.blame !== 'this'
    if (isAccident || (signal?.aborted && !isOk)) {
      const reason = isAccident ? end.reason : 'it was given up'
      throw fault('internal', `Script "${program.script}" was not loaded: ${reason}`)
    }
    const { error } = judge(end, what, limits, findPlace)
    const loaded = error === null && end.kind === 'ended' ? parseLoaded(end.body) : null
    if (loaded !== null) return loaded
    const reason = error?.message ?? 'what it says of itself cannot be read'
    const message = `Script "${program.script}" was refused: ${reason}`
    throw fault('script-refused', message, { cause: error })
  }

  #runInTurn(lane: Lane, request: RunRequest, mayBegin: () => boolean): Promise<RunResult | null> {
    const record = new RunRecord(request, lane.findPlace, this.#log)
    const announced = lane.announce()
    return lane.inTurn(() =>
      this.#run(lane, request, record, announced, mayBegin).finally(announced.cameToNothing),
    )
  }

  /** @returns null if it was not to begin any more when its turn came */
  async #run(
    lane: Lane,
    request: RunRequest,
    record: RunRecord,
    announced: Announced,
    mayBegin: () => boolean,
  ): Promise<RunResult | null> {
    const startedAt = performance.now()
    const work = (child: ChildProcess) => lane.run(child, request, record, announced, mayBegin)
    const attempt = isTooLong(request.event) ? eventTooLong : await this.#attempts.settle(lane, record, work)
    if (attempt.end.kind === 'ended' && attempt.end.outcome === 'not-begun') return null
    return this.#resultOf(lane, attempt, record, performance.now() - startedAt)
  }

  #resultOf(lane: Lane, attempt: Attempt, record: RunRecord, durationMs: number): RunResult {
    const { program, findPlace } = lane
    const { end, what, limits = program.limits } = attempt
    const { cpuMs, memoryBytes } = end.kind === 'ended' ? end : { cpuMs: 0, memoryBytes: 0 }
    const judgement = judge(end, what, limits, findPlace)
    if (judgement.outcome === 'ok') this.#conduct.endedWell(program.version)
    if (judgement.outcome === 'timed-out' && end.kind === 'ended') this.#onStopped(program, cpuMs)
    if (end.kind === 'lost' && end.blame === 'this') this.#onKilled(program, end.reason)
    // One that was handed over ahead may have begun before the end of the one before it was heard of.
    return { ...judgement, logs: record.logs, durationMs: Math.max(durationMs, cpuMs), cpuMs, memoryBytes }
  }

  #onStopped({ script, version, isolation }: Program, atWorkMs: number): void {
    // One with a process of its own stays there.
    if (isolation === 'process' || this.#conduct.isAlone(version)) return
    if (!this.#conduct.wasStopped(version, atWorkMs)) return
    this.#log.warn(
      { script, version },
      'The script works on again and again until it is stopped: it runs in a process of such scripts from now on, at the lowest priority',
    )
  }

  #onKilled({ script, version }: Program, reason: string): void {
    const verdict = this.#conduct.killed(version)
    switch (verdict) {
      case 'stays':
        break
      case 'moves':
        this.#log.warn(
          { script, version, reason },
          'The script keeps ending its process: it gets one of its own',
        )
        break
      case 'suspend':
        this.#onSuspend({ script, version, reason: `It ended its process again and again. Last: ${reason}` })
        break
      default:
        verdict satisfies never
    }
  }
}
