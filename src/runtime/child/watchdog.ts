/**
 * Watches over the time of a task: wall time and time at work. When one is over and the isolate does not obey
 * isolated-vm's timeout, it is disposed of; when even that does not help, the task is wedged.
 */
import type { MetLimit } from '../protocol.ts'
import type { Sandbox } from './sandbox.ts'

/** How long an entry may take to obey isolated-vm's timeout, and then to be disposed of. */
const obeyMs = 100
const disposeMs = 300
/** What one that is wedged has taken of the processor at least by then. */
const wedgedCpuMs = 50
/** At least so long between two looks at the time that a task was at work. */
const lookMs = 10

export interface WatchdogEvents {
  /** A limit was met. Returns whether an entry is at work in the isolate, which has to be made to end. */
  onLimit(limit: MetLimit): boolean
  onWedged(limit: MetLimit): void
}

export class Watchdog {
  readonly #sandbox: Sandbox
  readonly #events: WatchdogEvents
  readonly #timeoutMs: number
  readonly #deadline: number
  /** The isolate's own clock at which the task has been at work for as long as it may. */
  readonly #lastCpuMs: number
  /** Before this no entry can have met the time limit, whatever an error says. */
  #limitFromMs: number
  #timer: NodeJS.Timeout
  #stopWaiting = () => {}

  constructor(limits: { timeoutMs: number; cpuMs: number }, sandbox: Sandbox, events: WatchdogEvents) {
    this.#sandbox = sandbox
    this.#events = events
    this.#timeoutMs = limits.timeoutMs
    this.#deadline = performance.now() + limits.timeoutMs
    this.#limitFromMs = this.#deadline - obeyMs
    this.#lastCpuMs = sandbox.cpuMs + limits.cpuMs
    this.#timer = setTimeout(() => this.#look(), Math.min(limits.timeoutMs, limits.cpuMs))
  }

  /** The task was given to the isolate before its turn, with a timeout that counts from then on. */
  beganAt(ms: number): void {
    this.#limitFromMs = ms + this.#timeoutMs - obeyMs
  }

  /** How long an entry that begins now may take. */
  get leftMs(): number {
    return Math.max(1, Math.ceil(Math.min(this.#deadline - performance.now(), this.#cpuLeftMs)))
  }

  /** The limit that an entry may have met that ends now with isolated-vm's timeout; null: none can be. */
  get limitInReach(): MetLimit | null {
    if (performance.now() >= this.#limitFromMs) return 'timed-out'
    return this.#cpuLeftMs < obeyMs ? 'out-of-cpu' : null
  }

  /** Ends the entry at work now, as if its time were over. */
  giveUp(): void {
    clearTimeout(this.#timer)
    this.#dispose('timed-out')
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#stopWaiting()
  }

  get #cpuLeftMs(): number {
    return this.#lastCpuMs - this.#sandbox.cpuMs
  }

  #look(): void {
    const leftMs = this.#deadline - performance.now()
    const cpuLeftMs = this.#cpuLeftMs
    if (leftMs < 1) this.#end('timed-out')
    else if (cpuLeftMs < 1) this.#end('out-of-cpu')
    else this.#timer = setTimeout(() => this.#look(), Math.min(leftMs, Math.max(cpuLeftMs, lookMs)))
  }

  #end(limit: MetLimit): void {
    if (this.#events.onLimit(limit)) this.#timer = setTimeout(() => this.#dispose(limit), obeyMs)
  }

  #dispose(limit: MetLimit): void {
    this.#stopWaiting()
    this.#stopWaiting = disposeOf(this.#sandbox, () => this.#events.onWedged(limit))
  }
}

/** Of this process, so far. */
function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/**
 * Disposes of an isolate that may be at work.
 * @param onWedged told when that has not helped soon
 * @returns what is to be called when it has
 */
export function disposeOf(sandbox: Sandbox, onWedged: () => void): () => void {
  let hasEnded = false
  const beganCpuMs = processorMs()
  const judge = () => {
    if (hasEnded) return
    // Where the processor is short, it may not have had the time to end.
    if (processorMs() - beganCpuMs < wedgedCpuMs) timer = setTimeout(look, disposeMs)
    else onWedged()
  }
  // Its end may be there already and not have been heard of.
  const look = () => setImmediate(() => setImmediate(judge))
  let timer = setTimeout(look, disposeMs)
  sandbox.dispose()
  return () => {
    hasEnded = true
    clearTimeout(timer)
  }
}
