/**
 * How versions of scripts behave towards the process that they run in. One that ends its process again and again
 * gets a process of its own, so that it disturbs nobody; one that goes on so there is to be suspended. One that
 * loops until it is stopped, again and again, leaves the others, too: it takes a core from them.
 */

/** Ends of a shared process, or stops of its runs, within this time after which a version has to leave it. */
const sharedKills = 2
const sharedStops = 3
const sharedWindowMs = 10 * 60_000
/** Ends of its own process without one run between them that ended well, or within an hour. */
const killsInARow = 5
const killsInAnHour = 20
const hourMs = 3_600_000
/** A run that met a limit of time was looping, not waiting, if it was at work for so long. */
const loopMs = 100

export type Verdict = 'stays' | 'moves' | 'suspend'

export class Conduct {
  readonly #now: () => number
  /** When it ended a process; kept from the first time on. */
  readonly #kills = new Map<string, number[]>()
  readonly #inARow = new Map<string, number>()
  readonly #alone = new Set<string>()
  /** When a run of it was stopped at work. */
  readonly #stops = new Map<string, number[]>()
  readonly #looping = new Set<string>()

  /** @param now milliseconds that only grow */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether a version has to run in a process of its own. */
  isAlone(version: string): boolean {
    return this.#alone.has(version)
  }

  /** Whether a version is to run where what it takes of the processor is only what others leave. */
  isLooping(version: string): boolean {
    return this.#looping.has(version)
  }

  /** A run of a version was stopped at a limit of time. @returns whether it counts as looping from now on */
  wasStopped(version: string, atWorkMs: number): boolean {
    if (atWorkMs < loopMs || this.#looping.has(version)) return false
    const now = this.#now()
    const stops = [...(this.#stops.get(version) ?? []), now].filter((atMs) => now - atMs < sharedWindowMs)
    this.#stops.set(version, stops)
    if (stops.length < sharedStops) return false
    this.#looping.add(version)
    return true
  }

  /** A version has ended its process. After `suspend` its record is clean, but it stays alone. */
  killed(version: string): Verdict {
    const now = this.#now()
    const kills = [...(this.#kills.get(version) ?? []), now].filter((atMs) => now - atMs < hourMs)
    this.#kills.set(version, kills)
    const inARow = (this.#inARow.get(version) ?? 0) + 1
    this.#inARow.set(version, inARow)
    // One that loops stays with those that do.
    if (!this.#alone.has(version) && !this.#looping.has(version)) {
      if (kills.filter((atMs) => now - atMs < sharedWindowMs).length < sharedKills) return 'stays'
      this.#alone.add(version)
      this.#forgetKills(version)
      return 'moves'
    }
    if (inARow < killsInARow && kills.length < killsInAnHour) return 'stays'
    this.#forgetKills(version)
    return 'suspend'
  }

  endedWell(version: string): void {
    this.#inARow.delete(version)
  }

  /** The version is gone: should it come back, nothing is held against it. */
  forget(version: string): void {
    this.#alone.delete(version)
    this.#looping.delete(version)
    this.#stops.delete(version)
    this.#forgetKills(version)
  }

  #forgetKills(version: string): void {
    this.#kills.delete(version)
    this.#inARow.delete(version)
  }
}
