/**
 * A load, a run or an unload in an isolate, from its begin to its only end.
 *
 * It ends when the callback has returned, no entry is at work in the isolate and no host call waits; or by a
 * limit. Entries carry isolated-vm's timeout; waiting, and entries that do not obey, are ended by disposing the
 * isolate; when even that does not help, the engine is told that the task is wedged.
 */
import type { Ended, MetLimit, WireThrown } from '../protocol.ts'
import type { Argument, Sandbox } from './sandbox.ts'
import { Watchdog } from './watchdog.ts'

/** After an entry that took longer the memory is measured anew, however lately it was. */
const longMs = 1

type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** A run that was given to the isolate behind others: what it has posted, and the end of that entry. */
export interface Ahead {
  /** When it was given, of `performance.now()`. */
  readonly atMs: number
  readonly entered: Promise<void>
  readonly posts: { readonly kind: string; readonly values: readonly Argument[] }[]
  /** It is not to begin, if the isolate has not begun it. */
  isRecalled: boolean
}

export interface TaskEnd {
  readonly outcome: Ended['outcome']
  readonly body: string
  readonly cpuMs: number
  readonly memoryBytes: number
  /** It entered the isolate once: it asked for nothing, and waited for nothing. */
  readonly isBrief: boolean
  /** To the isolate it ended well, so that what that was given behind it begins. */
  readonly isWellInside: boolean
}

export interface TaskEvents {
  onCall(call: number, name: string, argumentsJson: string): void
  onCancel(call: number): void
  onLog(level: LogLevel, text: string): void
  onWedged(limit: MetLimit): void
  onEnd(end: TaskEnd): void
}

export class Task {
  readonly id: number
  readonly version: string
  readonly sandbox: Sandbox
  readonly #events: TaskEvents
  readonly #watchdog: Watchdog
  readonly #timers = new Map<number, NodeJS.Timeout>()
  readonly #cpuMsBefore: number
  #cpuMs = 0
  #memoryBytes = 0
  /** Entries at work in the isolate, and all that there were. */
  #entries = 0
  #entriesInAll = 0
  #waitingCalls = 0
  /** What the callback came to. */
  #done: { ok: boolean; body: string } | null = null
  /** It was given to the isolate ahead of its turn, and did nothing then. */
  #isSkipped = false
  /** A rejection that nobody handled. */
  #stray: WireThrown | null = null
  #limit: MetLimit | null = null
  /** The isolate goes with this task; with a load only if that does not end well. */
  #isLast = false
  #isLoad = false
  #ended = false

  constructor(
    task: { id: number; version: string; timeoutMs: number; cpuMs: number },
    sandbox: Sandbox,
    events: TaskEvents,
  ) {
    this.id = task.id
    this.version = task.version
    this.sandbox = sandbox
    this.#events = events
    this.#cpuMsBefore = sandbox.cpuMs
    this.#watchdog = new Watchdog(task, sandbox, {
      onLimit: (limit) => this.#onLimit(limit),
      onWedged: (limit) => events.onWedged(this.#limit ?? limit),
    })
    sandbox.onCatastrophe = (message) => {
      const limit = message.includes('memory') ? 'out-of-memory' : 'timed-out'
      events.onWedged(this.#limit ?? limit)
    }
  }

  async load(code: string): Promise<void> {
    this.#isLoad = true
    await this.#enter((timeoutMs) => this.sandbox.enter('begin', [this.id], timeoutMs))
    await this.#enter((timeoutMs) => this.sandbox.evaluate(code, timeoutMs))
    if (this.#stray !== null) this.#done = { ok: false, body: '' }
    else await this.#enter((timeoutMs) => this.sandbox.enter('open', [], timeoutMs))
    this.#check()
  }

  run(callback: string, event: string): void {
    this.#enter((timeoutMs) => this.sandbox.enter('run', [this.id, callback, event], timeoutMs))
  }

  /** A run that the isolate has been given ahead of its turn: what came of that is this task's. */
  async follow(ahead: Ahead, callback: string, event: string): Promise<void> {
    const { atMs, entered, posts } = ahead
    this.#watchdog.beganAt(atMs)
    const entry = this.#enter(() => entered)
    for (const { kind, values } of posts) this.onPost(kind, values)
    await entry
    if (this.#isSkipped && ahead.isRecalled) this.#end('not-begun', '')
    else if (this.#isSkipped) this.run(callback, event)
  }

  /** Calls `finalize`; the isolate goes, whatever comes of it. */
  close(): void {
    this.#isLast = true
    this.#enter((timeoutMs) => this.sandbox.enter('close', [this.id], timeoutMs))
  }

  /** Ends now, whatever it is at. */
  abandon(): void {
    if (this.#onLimit('timed-out')) this.#watchdog.giveUp()
  }

  answer(call: number, ok: boolean, json: string): void {
    this.#waitingCalls--
    this.#enter((timeoutMs) => this.sandbox.enter('answer', [call, ok, json], timeoutMs))
  }

  async #enter(entry: (timeoutMs: number) => Promise<void>): Promise<void> {
    if (this.#ended) return
    this.#entries++
    this.#entriesInAll++
    const { isFree, wasMeasuredLately, cpuMs } = this.sandbox
    const entered = entry(this.#watchdog.leftMs)
    // Asked for at once, so that both are one visit to the isolate's thread. It runs after the entry.
    let measured = isFree && !wasMeasuredLately ? this.sandbox.measure() : null
    try {
      await entered
    } catch (thrown) {
      this.#onEntryThrew(thrown)
    }
    try {
      // A measurement behind runs that were given ahead would wait for them: this one must not pay for those.
      if (this.sandbox.isFree && this.sandbox.cpuMs - cpuMs > longMs) measured ??= this.sandbox.measure()
      const usedBytes = await (measured ?? this.sandbox.lastUsedBytes)
      this.#memoryBytes = Math.max(this.#memoryBytes, usedBytes)
    } catch (thrown) {
      if (!this.sandbox.isDisposed) this.#onEntryThrew(thrown)
    }
    this.#entries--
    this.#check()
  }

  onPost(kind: string, values: readonly Argument[]): void {
    if (this.#ended) return
    const [first, second, third] = values
    switch (kind) {
      case 'log':
        this.#events.onLog(first as LogLevel, String(second))
        break
      case 'call':
        this.#waitingCalls++
        this.#events.onCall(Number(first), String(second), String(third))
        break
      case 'cancel':
        this.#events.onCancel(Number(first))
        break
      case 'timer':
        this.#setTimer(Number(first), Number(second))
        break
      case 'stop-timer':
        this.#clearTimer(Number(first))
        break
      case 'done':
        this.#done = { ok: first === true, body: String(second) }
        this.#check()
        break
      case 'skipped':
        this.#isSkipped = true
        break
    }
  }

  #setTimer(timer: number, delayMs: number): void {
    const fire = () => {
      this.#timers.delete(timer)
      this.#enter((timeoutMs) => this.sandbox.enter('fire', [timer], timeoutMs))
    }
    this.#timers.set(timer, setTimeout(fire, delayMs))
  }

  #clearTimer(timer: number): void {
    clearTimeout(this.#timers.get(timer))
    this.#timers.delete(timer)
  }

  #onEntryThrew(thrown: unknown): void {
    const { name, message, stack = '' } = thrown instanceof Error ? thrown : new Error(String(thrown))
    // A script can throw an error of that name: only a limit that may have been met counts.
    const limit = message === 'Script execution timed out.' ? this.#watchdog.limitInReach : null
    if (this.sandbox.isDisposed) this.#limit ??= message.includes('memory') ? 'out-of-memory' : 'timed-out'
    else if (limit !== null) this.#limit ??= limit
    this.#stray ??= { name, message: message.slice(0, 8192), stack: stack.slice(0, 8192) }
    if (this.sandbox.isDisposed || limit !== null) this.#endByLimit()
  }

  /** @returns whether an entry is at work */
  #onLimit(limit: MetLimit): boolean {
    this.#limit ??= limit
    this.#measureCpu()
    if (this.#entries > 0) return true
    this.#endByLimit()
    return false
  }

  /** After a limit nothing is known of the isolate's state: it goes. */
  #endByLimit(): void {
    this.#isLast = true
    this.#end(this.#limit ?? 'timed-out', this.#stray === null ? '' : JSON.stringify(this.#stray))
  }

  #check(): void {
    if (this.#ended || this.#done === null || this.#entries > 0) return
    const { ok, body } = this.#done
    if (ok && this.#stray === null && this.#waitingCalls > 0) return
    if (this.#stray !== null && (ok || body === '')) this.#end('threw', JSON.stringify(this.#stray))
    else this.#end(ok ? 'ok' : 'threw', body)
  }

  #measureCpu(): void {
    this.#cpuMs = Math.max(this.#cpuMs, this.sandbox.cpuMs - this.#cpuMsBefore)
  }

  #end(outcome: TaskEnd['outcome'], body: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#watchdog.stop()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#measureCpu()
    if (this.#isLast || (this.#isLoad && outcome !== 'ok')) this.sandbox.dispose()
    this.#events.onEnd({
      ...{ outcome, body, cpuMs: this.#cpuMs, memoryBytes: this.#memoryBytes },
      isBrief: this.#entriesInAll === 1,
      isWellInside: this.#done?.ok === true,
    })
  }
}
