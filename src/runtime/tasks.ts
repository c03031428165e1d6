/**
 * The tasks in a child: what each came with, how each ended, and from when to when its time counts. Of one version
 * one task is at work at a time; a run that was handed over ahead begins when the one before it has ended.
 */
import { caps } from './caps.ts'
import type { Ended, FirstMessage, MetLimit } from './protocol.ts'
import type { AnswerCall, LogLine } from './runtime.ts'

export type LossOutcome = MetLimit | 'crashed'

/** How a task ended, or that the child died under it. */
export type TaskEnd =
  | (Omit<Ended, 'type' | 'id'> & { readonly kind: 'ended'; readonly body: string })
  | {
      readonly kind: 'lost'
      /** Whether this task is what ended the child. */
      readonly blame: 'this' | 'another' | 'unknown'
      readonly outcome: LossOutcome
      readonly reason: string
    }

/** Why a child ends, and the task to blame if it is known. */
export interface Verdict {
  readonly reason: string
  readonly culprit: number | null
  readonly outcome: LossOutcome
}

/** The first message of a task, and what it may do while it is at work. */
export interface TaskRequest {
  readonly message: DistributiveOmit<FirstMessage, 'id' | 'after'>
  readonly body: string
  onLog(line: LogLine): void
  /** A host call; null if this task may not make one. */
  readonly onCall: AnswerCall | null
}
type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never

export interface Task {
  readonly request: TaskRequest
  readonly end: (end: TaskEnd) => void
  /** Null before it has begun. */
  deadline: NodeJS.Timeout | null
  /** By their numbers; aborted when they are given up, or the task is over. */
  readonly waitingCalls: Map<number, AbortController>
  /** All that it has made. */
  calls: number
}

/** How the isolate of one of its runs at a time is called in a child. */
export const isolateName = (version: string, lane: number) => `${version}#${lane}`
const versionOf = (isolate: string) => isolate.slice(0, isolate.lastIndexOf('#'))

/** @returns what gives the call up; null: the task may not make it */
export function admitCall(task: Task, call: number, argumentsJson: string): AbortController | null {
  const { waitingCalls, deadline } = task
  const isTooMuch =
    waitingCalls.size >= caps.waitingCalls ||
    ++task.calls > caps.callsPerRun ||
    argumentsJson.length > caps.argumentsLength
  if (deadline === null || isTooMuch || waitingCalls.has(call)) return null
  const givingUp = new AbortController()
  waitingCalls.set(call, givingUp)
  return givingUp
}

export class Tasks {
  readonly #graceMs: number
  readonly #onOverdue: (id: number) => void
  readonly #tasks = new Map<number, Task>()
  #lastId = 0

  /**
   * @param graceMs how long after its time limit a task may still end by itself
   * @param onOverdue told of a task that did not
   */
  constructor(graceMs: number, onOverdue: (id: number) => void) {
    this.#graceMs = graceMs
    this.#onOverdue = onOverdue
  }

  /** @returns its id */
  add(request: TaskRequest, after: number | null, end: (end: TaskEnd) => void): number {
    const id = ++this.#lastId
    const hasToWait = after !== null && this.#tasks.has(after)
    const deadline = hasToWait ? null : this.#deadline(id, request)
    this.#tasks.set(id, { request, end, deadline, waitingCalls: new Map(), calls: 0 })
    return id
  }

  get(id: number): Task | undefined {
    return this.#tasks.get(id)
  }

  /** Takes out one that has ended; the time of the next of its version counts from now on. */
  take(id: number): Task | undefined {
    const task = this.#tasks.get(id)
    if (task === undefined) return undefined
    this.#forget(id, task)
    const { version } = task.request.message
    for (const [nextId, next] of this.#tasks) {
      if (next.request.message.version !== version) continue
      next.deadline ??= this.#deadline(nextId, next.request)
      break
    }
    return task
  }

  /** One that came too late for its child. */
  lose(id: number, reason: string): void {
    this.take(id)?.end({ kind: 'lost', blame: 'another', outcome: 'crashed', reason })
  }

  /**
   * The child is gone, and with it all that there are.
   * @returns the version of the one that ended it; null if that is not known
   */
  loseAll({ reason, culprit, outcome }: Verdict): string | null {
    const version = culprit === null ? null : (this.#tasks.get(culprit)?.request.message.version ?? null)
    const all = [...this.#tasks]
    for (const [id, task] of all) this.#forget(id, task)
    for (const [id, { end, deadline }] of all) {
      const mayBe = culprit === null && deadline !== null
      const blame = culprit === id ? 'this' : mayBe ? 'unknown' : 'another'
      end({ kind: 'lost', reason, blame, outcome: blame === 'this' ? outcome : 'crashed' })
    }
    return version
  }

  hasOnly(id: number): boolean {
    return this.#tasks.size === 1 && this.#tasks.has(id)
  }

  get isEmpty(): boolean {
    return this.#tasks.size === 0
  }

  /** The one at work; null if there is none, or another beside it. */
  get onlyOneAtWork(): number | null {
    const atWork = this.#atWork
    return atWork.length === 1 ? atWork[0]![0] : null
  }

  /** The first at work, if all that are run one version; null if they do not. */
  get firstOfOneVersionAtWork(): number | null {
    const atWork = this.#atWork
    const versions = new Set(atWork.map(([, { request }]) => versionOf(request.message.version)))
    return versions.size === 1 ? atWork[0]![0] : null
  }

  get #atWork(): [id: number, task: Task][] {
    return [...this.#tasks].filter(([, { deadline }]) => deadline !== null)
  }

  #deadline(id: number, { message }: TaskRequest): NodeJS.Timeout {
    const judge = () => {
      if (this.#tasks.has(id)) this.#onOverdue(id)
    }
    // An engine that was itself held up reads what the child has sent meanwhile before it judges.
    const onDeadline = () => setImmediate(() => setImmediate(judge))
    return setTimeout(onDeadline, message.timeoutMs + this.#graceMs)
  }

  #forget(id: number, { deadline, waitingCalls }: Task): void {
    if (deadline !== null) clearTimeout(deadline)
    for (const call of waitingCalls.values()) call.abort()
    this.#tasks.delete(id)
  }
}
