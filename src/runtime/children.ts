/**
 * The child in use and a warm spare that takes its place when it dies.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { type ChildOptions, ChildProcess, type Death } from './child-process.ts'
import type { Priority } from './spawn.ts'

const firstRetryMs = 100
const lastRetryMs = 5_000

/** One that gets what others leave of the processor may be silent for long, and end its runs late; nobody waits for it. */
function patienceWith(priority: Priority, options: ChildOptions): ChildOptions {
  if (priority !== 'last') return options
  const { heartbeatMs, graceMs, startMs } = options
  return { ...options, heartbeatMs: heartbeatMs * 10, graceMs: graceMs * 10, startMs: startMs * 10 }
}

export class Children {
  readonly #options: ChildOptions
  readonly #onDeath: (death: Death) => void
  readonly #alive = new Set<ChildProcess>()
  readonly #closing = new AbortController()
  #current: Promise<ChildProcess>
  #spare: Promise<ChildProcess> | null = null

  private constructor(options: ChildOptions, first: ChildProcess, onDeath: (death: Death) => void) {
    this.#options = options
    this.#onDeath = onDeath
    this.#current = Promise.resolve(first)
    this.#alive.add(first)
    this.#watchOver(first)
    this.#spare = this.#startUntilAlive()
  }

  /** Resolves when the first child can take tasks; rejects if it cannot be started. */
  static async start(options: ChildOptions, onDeath: (death: Death) => void): Promise<Children> {
    return new Children(options, await ChildProcess.start(options), onDeath)
  }

  /** The child in use; waits while a new one starts. Rejects after `close`. */
  get current(): Promise<ChildProcess> {
    return this.#current
  }

  /** A child of one's own; the caller closes it. */
  async startOwn(priority: Priority = 'usual'): Promise<ChildProcess> {
    const child = await this.#startUntilAlive(priority)
    child.gone.then(() => this.#alive.delete(child))
    return child
  }

  /** Ends every child. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled([this.#current, this.#spare])
    await Promise.all([...this.#alive].map((child) => child.close()))
  }

  #watchOver(child: ChildProcess): void {
    child.gone.then((death) => {
      this.#alive.delete(child)
      if (this.#closing.signal.aborted) return
      this.#current = this.#takeSpare()
      this.#onDeath(death)
    })
  }

  async #takeSpare(): Promise<ChildProcess> {
    let child: ChildProcess
    do {
      const spare = this.#spare ?? this.#startUntilAlive()
      this.#spare = null
      child = await spare
    } while (await this.#hasEnded(child))
    this.#watchOver(child)
    if (!this.#closing.signal.aborted) this.#spare ??= this.#startUntilAlive()
    return child
  }

  /** What ended the child before it may have ended this one, too, which is told later than that. */
  async #hasEnded(child: ChildProcess): Promise<boolean> {
    const hasEnded = !(await child.answers())
    if (hasEnded) this.#alive.delete(child)
    return hasEnded
  }

  /** Rejects only after `close`. */
  async #startUntilAlive(priority: Priority = 'usual'): Promise<ChildProcess> {
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, lastRetryMs)) {
      this.#closing.signal.throwIfAborted()
      try {
        const child = await ChildProcess.start(patienceWith(priority, this.#options), priority)
        this.#alive.add(child)
        return child
      } catch (error) {
        this.#options.log.error({ reason: messageOf(error) }, 'Cannot start a child process; trying again')
        await wait(retryMs, undefined, { signal: this.#closing.signal, ref: false })
      }
    }
  }
}
