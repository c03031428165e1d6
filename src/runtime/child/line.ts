/**
 * The runs of one isolate that were handed over ahead: each begins when the one that it follows has ended well,
 * and not at all if that did not, because the engine decides then what comes next, or if they are recalled. While
 * runs end within their first entry, those that wait are given to the isolate at once, which begins each behind the
 * one before it.
 */
import type { ToChild } from '../protocol.ts'
import type { Argument } from './sandbox.ts'
import type { Ahead } from './task.ts'

/** Length of the events that are given to the isolate ahead: they are held twice meanwhile. */
const mostAheadLength = 1_000_000

export interface HandedRun {
  readonly message: Extract<ToChild, { type: 'run' }>
  readonly body: string
}

export interface LineEnds {
  /** @param ahead if the isolate has been given it already */
  begin(run: HandedRun, ahead: Ahead | null): void
  /** Gives a run to the isolate ahead of its turn; resolves when that entry is over. */
  enterAhead(run: HandedRun): Promise<void>
  /** Of those that the isolate was given ahead, it is to begin none that it has not, up to this one. */
  recall(upTo: number): void
  refuse(run: HandedRun): void
}

export interface RunEnd {
  readonly isWell: boolean
  /** Within one entry. */
  readonly isBrief: boolean
  /** The isolate is gone. */
  readonly isGone: boolean
}

interface WaitingRun {
  readonly run: HandedRun
  ahead: Ahead | null
}

export class Line {
  readonly #ends: LineEnds
  #atWork: { readonly id: number; readonly ahead: Ahead | null } | null = null
  /** The last run to end, if it ended well. */
  #lastWell: number | null = null
  #waiting: WaitingRun[] = []
  #aheadLength = 0
  /** The last run ended within one entry, so that the next is likely to. */
  #isBrief = false

  constructor(ends: LineEnds) {
    this.#ends = ends
  }

  add(run: HandedRun): void {
    const { after } = run.message
    const last = this.#waiting.at(-1)?.run.message.id ?? this.#atWork?.id ?? this.#lastWell
    if (after !== null && after !== last) this.#ends.refuse(run)
    else if (this.#atWork === null) this.#begin({ run, ahead: null })
    else {
      this.#waiting.push({ run, ahead: null })
      this.#enterAhead()
    }
  }

  /** What the isolate has been given and has begun goes on; nothing else that waits begins. */
  recall(): void {
    const last = this.#waiting.at(-1)
    if (last === undefined) return
    this.#ends.recall(last.run.message.id)
    // The isolate may not have come to it yet.
    if (this.#atWork?.ahead) this.#atWork.ahead.isRecalled = true
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ ahead }) => ahead !== null)
    for (const { ahead } of this.#waiting) ahead!.isRecalled = true
    for (const { run, ahead } of waiting) if (ahead === null) this.#ends.refuse(run)
  }

  /** The ends of what the isolate was given ahead; null: of nothing. */
  get givenAhead(): Promise<unknown> | null {
    const given = this.#waiting.flatMap(({ ahead }) => (ahead === null ? [] : [ahead.entered]))
    return given.length === 0 ? null : Promise.allSettled(given)
  }

  /** Keeps what a run posts ahead of its turn. */
  keep(id: number, kind: string, values: readonly Argument[]): void {
    this.#waiting.find(({ run }) => run.message.id === id)?.ahead?.posts.push({ kind, values })
  }

  /** To be told when the one at work has ended. */
  ended(id: number, { isWell, isBrief, isGone }: RunEnd): void {
    this.#atWork = null
    this.#lastWell = isWell && !isGone ? id : null
    this.#isBrief = isBrief && !isGone
    // What took the isolate with it may be one that had begun there already: that is the next one's to find out.
    if (!isWell || (isGone && this.#waiting[0]?.ahead == null)) {
      this.#aheadLength = 0
      for (const { run } of this.#waiting.splice(0)) this.#ends.refuse(run)
      return
    }
    const next = this.#waiting.shift()
    if (next === undefined) return
    if (next.ahead !== null) this.#aheadLength -= next.run.body.length
    this.#begin(next)
    this.#enterAhead()
  }

  #begin({ run, ahead }: WaitingRun): void {
    this.#atWork = { id: run.message.id, ahead }
    this.#ends.begin(run, ahead)
  }

  /** The isolate takes entries in their order, so the first that is not given holds up those behind it. */
  #enterAhead(): void {
    if (!this.#isBrief) return
    for (const waiting of this.#waiting) {
      if (waiting.ahead !== null) continue
      const { length } = waiting.run.body
      if (this.#aheadLength + length > mostAheadLength) return
      this.#aheadLength += length
      const atMs = performance.now()
      const entered = this.#ends.enterAhead(waiting.run)
      entered.catch(() => {})
      waiting.ahead = { atMs, entered, posts: [], isRecalled: false }
    }
  }
}
