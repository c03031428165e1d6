/** The waves of a plan while it is being made: what each client does in them, in the order of its moments. */
import type { Upload } from './history.ts'
import type { Ids } from './identifiers.ts'

/** One step of a client: it sends these, over `dicom` on one association, or deletes that study. */
export interface Task {
  /** Since the wave began. */
  readonly afterMs: number
  readonly uploads: readonly Upload[]
  readonly deletion: Ids | null
}

/** What one client does, in this order. */
export interface Lane {
  readonly road: Upload['road']
  readonly tasks: readonly Task[]
}

/** Clients that work at the same time. */
const roads: readonly Upload['road'][] = ['http', 'http', 'http', 'http', 'dicom', 'dicom']
/** A wave comes in a rush or over some time, shorter than a stable age, so that its studies are unstable together. */
const arrivalsMs = { shortest: 150, longest: 700 }

/** The lanes of each wave, while they are being filled. */
export class Draft {
  readonly lanes: readonly { readonly road: Upload['road']; readonly tasks: Task[] }[][]
  readonly #spansMs: readonly number[]
  readonly #random: () => number

  constructor(waves: number, random: () => number) {
    const { shortest, longest } = arrivalsMs
    this.#spansMs = Array.from({ length: waves }, () => shortest + random() * (longest - shortest))
    this.lanes = Array.from({ length: waves }, () => roads.map((road) => ({ road, tasks: [] })))
    this.#random = random
  }

  get waves(): number {
    return this.lanes.length
  }

  /** Over how long the arrivals of a wave are spread. */
  spanMs(wave: number): number {
    return this.#spansMs[wave]!
  }

  /** Some lane of that road, not `other`. */
  laneFor(road: Upload['road'], other = -1): number {
    const lanes = [...roads.keys()].filter((lane) => roads[lane] === road && lane !== other)
    return lanes[Math.floor(this.#random() * lanes.length)]!
  }

  add(wave: number, lane: number, task: Partial<Task> & Pick<Task, 'afterMs'>): void {
    const { tasks } = this.lanes[wave]![lane]!
    const place = tasks.findIndex(({ afterMs }) => afterMs > task.afterMs)
    tasks.splice(place === -1 ? tasks.length : place, 0, { uploads: [], deletion: null, ...task })
  }
}
