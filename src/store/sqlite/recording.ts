/**
 * The road of an arrival through the store: into the journal, which makes it durable, and then, in the order
 * of the journal, into the rows. A sender may be answered between the two.
 *
 *   append ─► durable ─► waiting ─► rows ─► recorded
 *                           ▲         │ the disk is full, and the sender was answered
 *                           └─────────┘ until there is room; until then nothing more is taken
 */
import { fault, messageOf, OnStableError } from '../../errors.ts'
import { errorFromWire } from '../../lib/wire-error.ts'
import type { Accepted, Arrival, Recorded } from '../store.ts'
import type { Connection } from './connection.ts'
import type { HeldInstances } from './held-instances.ts'
import type { Journal } from './journal/journal.ts'
import type { Entry, RecordResult } from './record-all.ts'

/** Arrivals that wait for their rows; further ones wait before they are taken. */
const mostWaiting = 500
/** Between two transactions, while nobody waits for the rows, so that each finds several arrivals. */
const paceMs = 4
const retryMs = 1_000

export interface RecordingParts {
  readonly journal: Journal
  readonly database: Connection
  readonly onBlocked: OnBlocked
  readonly held: HeldInstances
}

interface Waiting {
  readonly entry: Entry
  /** Whether the journal has it; if not, its commit has to be synced. */
  readonly isKept: boolean
  resolve(status: Recorded['status']): void
  reject(error: unknown): void
}

/** Told why rows that are owed cannot be written, and null when they can again. */
export type OnBlocked = (reason: string | null) => void

interface Barrier {
  readonly number: number
  readonly resolve: () => void
}

export class Recording {
  readonly #journal: Journal
  readonly #database: Connection
  readonly #onBlocked: OnBlocked
  readonly #held: HeldInstances
  #waiting: Waiting[] = []
  #barriers: Barrier[] = []
  #lastNumber = 0
  /** Up to here everything has its rows, or was refused. */
  #doneNumber = 0
  #underway: Promise<void> | null = null
  #sentAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  /** Why rows that are owed cannot be written. */
  #blockedBy: unknown = null
  /** What was refused may be in the journal: the next commit says, durably, that it is not to come back. */
  #hasRefused = false
  #isClosed = false

  constructor({ journal, database, onBlocked, held }: RecordingParts) {
    this.#journal = journal
    this.#database = database
    this.#onBlocked = onBlocked
    this.#held = held
  }

  /** @returns when its rows are there. Rejects if they cannot be written; it is not taken then */
  async record(arrival: Arrival): Promise<Recorded> {
    return (await this.#take(arrival, 'recorded')).recorded
  }

  /**
   * @returns when it is durable. Its rows follow; they are owed from then on. One that was to be `known` and may be held
   *   already has its rows
   */
  accept(arrival: Arrival, until: 'durable' | 'known' = 'durable'): Promise<Accepted> {
    return this.#take(arrival, until)
  }

  /** Sends what waits to the database now, before whatever is sent there next. */
  hurry(): void {
    if (this.#blockedBy === null) this.#send()
  }

  /** Resolves when all that was taken before has its rows, or when that has to wait for a disk. */
  caughtUp(): Promise<void> {
    if (this.#doneNumber >= this.#lastNumber || this.#blockedBy !== null) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#barriers.push({ number: this.#lastNumber, resolve })
    this.hurry()
    return promise
  }

  /** Whether rows that are owed wait for a disk. */
  get isBlocked(): boolean {
    return this.#blockedBy !== null
  }

  /** Resolves when all that was taken before has its rows. Rejects if that has to wait for a disk. */
  async demandCaughtUp(): Promise<void> {
    await this.caughtUp()
    if (this.#blockedBy !== null) throw this.#blockedBy
  }

  /** Whether everything up to an entry of the journal has its rows, or was refused. */
  isDone(number: number): boolean {
    return this.#doneNumber >= number
  }

  /** Writes what waits; what cannot be written is brought back from the journal at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#underway !== null) await this.#underway
    this.#send()
    while (this.#underway !== null) await this.#underway
    this.#giveUp()
  }

  async #take(arrival: Arrival, until: 'durable' | 'known' | 'recorded'): Promise<Accepted> {
    while (this.#waiting.length >= mostWaiting && this.#blockedBy === null) await this.caughtUp()
    if (this.#blockedBy !== null) throw this.#blockedBy
    if (this.#isClosed) throw stopping()
    const isNew = this.#held.add(arrival.header.ids.instance)
    const { content, ...facts } = arrival
    // Once for both threads: a text goes there at a fraction of what objects cost.
    const arrivalJson = JSON.stringify(facts)
    const { number, atMs, isKept, filledSegments } = await this.#journal.append({
      file: arrival.file,
      arrivalJson,
      bytes: content?.bytes ?? null,
    })
    if (!isKept && content !== null)
      throw fault('internal', 'The journal cannot be written; see the errors before this one')
    const { promise, resolve, reject } = Promise.withResolvers<Recorded['status']>()
    const isOwed = isKept && (until === 'durable' || (until === 'known' && isNew))
    this.#waiting.push({ entry: { arrivalJson, content, number, atMs, isOwed }, isKept, resolve, reject })
    this.#lastNumber = number
    this.#schedule()
    if (!isOwed) await promise
    return { isOwed, recorded: promise.then((status) => ({ status, unsyncedBatches: filledSegments })) }
  }

  #schedule(): void {
    const isAwaited = this.#barriers.length > 0 || this.#waiting.some(({ entry }) => !entry.isOwed)
    if (this.#blockedBy !== null) this.#sendIn(retryMs)
    else if (isAwaited) this.#send()
    else if (this.#waiting.length > 0) this.#sendIn(this.#sentAt + paceMs - performance.now())
  }

  #sendIn(ms: number): void {
    if (ms <= 0) {
      this.#send()
      return
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#send()
    }, ms)
  }

  /** One transaction at a time: a later one must not be there when an earlier one fails. */
  #send(): void {
    if (this.#underway !== null || this.#waiting.length === 0) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const batch = this.#waiting
    this.#waiting = []
    this.#sentAt = performance.now()
    this.#underway = this.#write(batch)
      .catch((error: unknown) => this.#onFailed(batch, error))
      .then(() => {
        this.#underway = null
        if (!this.#isClosed) this.#schedule()
      })
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const entries = batch.map(({ entry }) => entry)
    const isDurable = this.#hasRefused || batch.some(({ isKept }) => !isKept)
    const results = (await this.#database.request('recordAll', [entries, isDurable])) as RecordResult[]
    this.#setBlocked(null)
    this.#hasRefused = results.some(({ ok }) => !ok)
    for (const [index, { resolve, reject }] of batch.entries()) {
      const result = results[index]!
      if (result.ok) resolve(result.value)
      else reject(errorFromWire(result.error))
    }
    this.#passBarriers(entries.at(-1)!.number)
  }

  #onFailed(batch: readonly Waiting[], error: unknown): void {
    this.#hasRefused = true
    const owed = batch.filter(({ entry }) => entry.isOwed)
    for (const { entry, reject } of batch) if (!entry.isOwed) reject(error)
    if (owed.length === 0) {
      this.#passBarriers(batch.at(-1)!.entry.number)
      return
    }
    this.#waiting.unshift(...owed)
    this.#setBlocked(error)
    for (const { resolve } of this.#barriers.splice(0)) resolve()
    if (error instanceof OnStableError && error.code === 'shutting-down') this.#giveUp()
  }

  #setBlocked(reason: unknown): void {
    const hasChanged = (reason === null) !== (this.#blockedBy === null)
    this.#blockedBy = reason
    if (hasChanged && !this.#isClosed) this.#onBlocked(reason === null ? null : messageOf(reason))
  }

  #giveUp(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const { reject } of this.#waiting.splice(0)) reject(stopping())
  }

  #passBarriers(number: number): void {
    this.#doneNumber = number
    const passed = this.#barriers.filter((barrier) => barrier.number <= number)
    this.#barriers = this.#barriers.filter((barrier) => barrier.number > number)
    for (const { resolve } of passed) resolve()
  }
}

const stopping = () => fault('shutting-down', 'The server is stopping')
