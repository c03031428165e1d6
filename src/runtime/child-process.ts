/**
 * A child as the engine sees it: tasks go in, their ends come out; and what ends a child that does not obey.
 * A child dies of a task past its deadline, of a task that it calls wedged, of silence, of too much memory, of
 * a frame that breaks the protocol, or by itself. Then every task in it is lost, and told who is to blame.
 */
import { fault } from '../errors.ts'
import { residentMb } from '../lib/resident-memory.ts'
import type { Log } from '../log.ts'
import { readFrames } from './frames.ts'
import { MemoryWatch } from './memory-watch.ts'
import { Outbox } from './outbox.ts'
import { type Ended, type FromChild, fromChild } from './protocol.ts'
import type { Priority, SpawnChild, SpawnedChild } from './spawn.ts'
import { admitCall, type LossOutcome, type TaskEnd, type TaskRequest, Tasks, type Verdict } from './tasks.ts'

export interface ChildOptions {
  readonly log: Log
  readonly spawn: SpawnChild
  readonly heartbeatMs: number
  /** How long after its time limit a task may still end by itself. */
  readonly graceMs: number
  readonly maxChildMemoryMb: number
  /** How long after its start a child may take until it is ready. */
  readonly startMs: number
}

export interface Death {
  readonly reason: string
  /** The version of the task that ended the child; null if it is not known, or none. */
  readonly culprit: string | null
}

/** Silent heartbeats in a row after which a child is dead. */
const silenceBeats = 5
/** How long after its end what it said last is read; somebody that it started may hold its pipe for ever. */
const lastWordsMs = 200

export class ChildProcess {
  readonly #options: ChildOptions
  readonly #child: SpawnedChild
  readonly #outbox: Outbox
  readonly #tasks: Tasks
  readonly #ready = Promise.withResolvers<void>()
  readonly #gone = Promise.withResolvers<Death>()
  #pulse: NodeJS.Timeout | null = null
  readonly #memory: MemoryWatch
  #onPong: () => void = () => {}
  #silentBeats = 0
  #lastWords = ''
  /** Why this child ends, and the task to blame if it is known; set once. */
  #verdict: Verdict | null = null

  private constructor(options: ChildOptions, priority: Priority) {
    this.#options = options
    this.#tasks = new Tasks(options.graceMs, (id) => {
      this.#kill('A task outlived its deadline', id, 'timed-out')
    })
    this.#child = options.spawn(options.heartbeatMs, priority)
    this.#outbox = new Outbox(this.#child.pipe)
    readFrames(
      this.#child.pipe,
      (header, body) => this.#onFrame(header, body),
      (reason) => this.#kill(`It broke the protocol: ${reason}`),
    )
    this.#child.pipe.on('error', () => this.#kill('Its pipe broke'))
    this.#child.errorOutput.on('data', (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString('latin1')).slice(-2048)
    })
    this.#child.process.on('error', (error) => this.#onGone(error.message))
    this.#child.process.on('exit', () => setTimeout(() => this.#letGo(), lastWordsMs))
    this.#child.process.on('close', (code, signal) =>
      this.#onGone(`It ended with ${signal ?? `code ${code}`}`),
    )
    this.#memory = new MemoryWatch({
      mostMb: options.maxChildMemoryMb,
      residentMb: () => residentMb(this.#child.process.pid),
      isIdle: () => this.#tasks.isEmpty,
      onTooMuch: (reason, isOfTask) =>
        isOfTask
          ? this.#kill(reason, this.#tasks.firstOfOneVersionAtWork, 'out-of-memory')
          : this.#kill(reason, null),
    })
    const late = setTimeout(() => this.#kill('It did not start in time'), options.startMs)
    this.#ready.promise.catch(() => {}).finally(() => clearTimeout(late))
  }

  /** Resolves when the child can take tasks; rejects if it ends before. */
  static async start(options: ChildOptions, priority: Priority = 'usual'): Promise<ChildProcess> {
    const child = new ChildProcess(options, priority)
    await child.#ready.promise
    return child
  }

  /** What comes now comes too late; it is told gone a little later. */
  get #hasEnded(): boolean {
    const { exitCode, signalCode } = this.#child.process
    return this.#verdict !== null || exitCode !== null || signalCode !== null
  }

  /** Whether that task is all that it has. */
  hasOnly(id: number): boolean {
    return this.#tasks.hasOnly(id)
  }

  get pid(): number {
    return this.#child.process.pid ?? 0
  }

  /** Resolves when the process is gone. */
  get gone(): Promise<Death> {
    return this.#gone.promise
  }

  /**
   * Runs a task to its end, or to the end of this child. `ended` never rejects.
   * @param after a run, of the same version, that a run is to follow; it begins when that has ended well
   */
  perform(request: TaskRequest, after: number | null = null): { id: number; ended: Promise<TaskEnd> } {
    const { promise, resolve } = Promise.withResolvers<TaskEnd>()
    const id = this.#tasks.add(request, after, resolve)
    this.#memory.wake()
    const { message, body } = request
    if (message.type === 'load') this.#memory.isolateMade(message.version, message.memoryMb)
    if (message.type === 'unload') this.#memory.isolateGone(message.version)
    if (this.#hasEnded) this.#tasks.lose(id, this.#verdict?.reason ?? 'It had ended before')
    else this.#outbox.send(message.type === 'run' ? { ...message, id, after } : { ...message, id }, body)
    return { id, ended: promise }
  }

  /** Whether it answers; one that has been killed may not have been told gone yet. One that does neither is killed. */
  async answers(): Promise<boolean> {
    const answered = new Promise<boolean>((resolve) => {
      this.#onPong = () => resolve(true)
    })
    const late = setTimeout(() => this.#kill('It did not answer'), this.#options.startMs)
    this.#outbox.send({ type: 'ping' })
    const isThere = await Promise.race([answered, this.gone.then(() => false)])
    clearTimeout(late)
    return isThere
  }

  /** Asks the child to end a task now. */
  abandon(id: number): void {
    if (this.#tasks.get(id) !== undefined) this.#outbox.send({ type: 'abandon', id })
  }

  /** What waits in an isolate behind the run at work is not to begin. */
  recall(version: string): void {
    this.#outbox.send({ type: 'recall', version })
  }

  /** Ends the process; tasks in it are lost without blame. */
  async close(): Promise<void> {
    this.#kill('The runtime was closed', null)
    await this.gone
  }

  #onFrame(header: unknown, body: string): void {
    this.#silentBeats = 0
    const parsed = fromChild.safeParse(header)
    if (!parsed.success) {
      this.#kill('It broke the protocol: unknown message')
      return
    }
    const message: FromChild = parsed.data
    switch (message.type) {
      case 'ready':
        // Until now it had the time of a start.
        this.#pulse ??= setInterval(() => this.#listen(), this.#options.heartbeatMs)
        this.#ready.resolve()
        break
      case 'alive':
        break
      case 'pong':
        this.#onPong()
        break
      case 'wedged':
        this.#kill('A task could not be ended', message.id, message.outcome)
        break
      case 'ended':
        this.#onEnded(message, body)
        break
      case 'log':
        this.#tasks.get(message.id)?.request.onLog({ level: message.level, text: body })
        break
      case 'call':
        this.#onCall(message.id, message.call, message.name, body)
        this.#outbox.waitUntilItReads()
        break
      case 'cancel':
        // It may have been answered meanwhile.
        this.#tasks.get(message.id)?.waitingCalls.get(message.call)?.abort()
        break
      default:
        message satisfies never
    }
  }

  #onEnded({ type: _, id, ...end }: Ended, body: string): void {
    const task = this.#tasks.take(id)
    if (end.disposed && task !== undefined) this.#memory.isolateGone(task.request.message.version)
    task?.end({ kind: 'ended', ...end, body })
  }

  #onCall(id: number, call: number, name: string, argumentsJson: string): void {
    const task = this.#tasks.get(id)
    if (task === undefined || this.#verdict !== null) return
    const { onCall } = task.request
    const givingUp = admitCall(task, call, argumentsJson)
    if (onCall === null || givingUp === null) {
      this.#kill('It broke the protocol: more host calls than allowed', id)
      return
    }
    const answered = Promise.withResolvers<void>()
    onCall({ name, argumentsJson }, givingUp.signal, answered.promise).then((answer) => {
      if (this.#tasks.get(id) === task) {
        task.waitingCalls.delete(call)
        const body = answer.ok ? answer.value : JSON.stringify(answer.error)
        this.#outbox.send({ type: 'answer', id, call, ok: answer.ok }, body)
      }
      this.#outbox.whenSent(answered.resolve)
    })
  }

  #letGo(): void {
    this.#child.pipe.destroy()
    this.#child.errorOutput.destroy()
  }

  #kill(reason: string, culprit = this.#tasks.onlyOneAtWork, outcome: LossOutcome = 'crashed'): void {
    this.#verdict ??= { reason, culprit, outcome }
    this.#child.process.kill('SIGKILL')
  }

  #onGone(reason: string): void {
    if (this.#pulse !== null) clearInterval(this.#pulse)
    this.#memory.close()
    const closed = this.#verdict !== null
    this.#verdict ??= { reason, culprit: this.#tasks.onlyOneAtWork, outcome: 'crashed' }
    if (!closed) this.#options.log.debug({ words: this.#lastWords }, 'Last words of a child process')
    const culprit = this.#tasks.loseAll(this.#verdict)
    const why = `${this.#verdict.reason}. ${this.#lastWords}`.trim()
    this.#ready.reject(fault('internal', `The sandbox process did not start: ${why}`))
    this.#gone.resolve({ reason: this.#verdict.reason, culprit })
  }

  #listen(): void {
    if (++this.#silentBeats > silenceBeats) this.#kill(`It was silent for ${silenceBeats} heartbeats`)
  }
}
