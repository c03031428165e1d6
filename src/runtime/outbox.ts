/**
 * What goes to a child, in frames, and whether that has left: a child that does not read fills the engine's memory,
 * and what is large holds up what comes behind it.
 */
import type { Duplex } from 'node:stream'
import { frameSender, type SendFrame } from './frames.ts'
import type { ToChild } from './protocol.ts'

/** What may wait to be sent to a child; while there is more, it is not listened to. */
const mostUnsentBytes = 16 * 1024 * 1024

export class Outbox {
  readonly send: SendFrame<ToChild>
  readonly #pipe: Duplex
  #waiting: (() => void)[] = []

  constructor(pipe: Duplex) {
    this.#pipe = pipe
    this.send = frameSender<ToChild>(pipe)
  }

  /** @param then called when all that was sent so far has left; if the pipe breaks, at once or never */
  whenSent(then: () => void): void {
    this.#waiting.push(then)
    // What was sent is written behind what the event loop is at.
    if (this.#waiting.length === 1) setImmediate(() => this.#look())
  }

  /** Lets the child say nothing more while it leaves too much unread. */
  waitUntilItReads(): void {
    if (this.#pipe.writableLength <= mostUnsentBytes || this.#pipe.isPaused()) return
    this.#pipe.pause()
    this.#pipe.once('drain', () => this.#pipe.resume())
  }

  #look(): void {
    if (this.#pipe.writableNeedDrain && !this.#pipe.destroyed) {
      this.#pipe.once('drain', () => this.#look())
      return
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const then of waiting) then()
  }
}
