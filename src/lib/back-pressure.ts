/**
 * Keeps what all senders together have in memory near a limit: above it all but one are held back, so that
 * the one can always finish and make room.
 */

/** Somebody who sends. */
export interface Sender {
  /** Whether more may be read from the sender now. */
  setHeldBack(isHeldBack: boolean): void
}

export class BackPressure {
  readonly #limitBytes: number
  readonly #held = new Map<Sender, number>()
  #totalBytes = 0
  /** The one that may send while the others may not; null while all may. */
  #goingOn: Sender | null = null

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  join(sender: Sender): void {
    this.#held.set(sender, 0)
    if (this.#goingOn !== null) sender.setHeldBack(true)
  }

  /** What the sender still has in memory has to be given back first. */
  leave(sender: Sender): void {
    this.#held.delete(sender)
    if (this.#goingOn === sender) this.#choose()
  }

  take(sender: Sender, bytes: number): void {
    this.#held.set(sender, (this.#held.get(sender) ?? 0) + bytes)
    this.#totalBytes += bytes
    if (this.#goingOn === null && this.#totalBytes > this.#limitBytes) this.#choose()
  }

  giveBack(sender: Sender, bytes: number): void {
    const left = (this.#held.get(sender) ?? bytes) - bytes
    if (this.#held.has(sender)) this.#held.set(sender, left)
    this.#totalBytes -= bytes
    const isOver = this.#goingOn === sender && left === 0
    if (this.#goingOn !== null && (isOver || this.#totalBytes <= this.#limitBytes)) this.#choose()
  }

  /** Lets everybody send, or the one that has most in memory: it is nearest to its end. */
  #choose(): void {
    const isPressed = this.#totalBytes > this.#limitBytes
    this.#goingOn = null
    if (isPressed) {
      for (const [sender, bytes] of this.#held) {
        if (this.#goingOn === null || bytes > (this.#held.get(this.#goingOn) ?? 0)) this.#goingOn = sender
      }
    }
    for (const sender of this.#held.keys())
      sender.setHeldBack(this.#goingOn !== null && sender !== this.#goingOn)
  }
}
