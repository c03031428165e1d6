/**
 * What all answers that are being read take in memory together: beyond a bound only the oldest reads on, so that many
 * large ones at once come one after the other.
 */
const mostBytes = 48 * 1024 * 1024

export interface Place extends Disposable {
  /** Resolves when so many bytes more may be held. */
  take(bytes: number): Promise<void>
}

export class Room {
  /** The oldest first. */
  readonly #places = new Set<Place>()
  #heldBytes = 0
  #waiting: (() => void)[] = []

  enter(): Place {
    let ownBytes = 0
    const place: Place = {
      take: async (bytes) => {
        while (this.#heldBytes + bytes > mostBytes && !this.#isOldest(place)) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve))
        }
        ownBytes += bytes
        this.#heldBytes += bytes
      },
      [Symbol.dispose]: () => {
        this.#places.delete(place)
        this.#heldBytes -= ownBytes
        ownBytes = 0
        const waiting = this.#waiting
        this.#waiting = []
        for (const look of waiting) look()
      },
    }
    this.#places.add(place)
    return place
  }

  #isOldest(place: Place): boolean {
    return this.#places.values().next().value === place
  }
}
