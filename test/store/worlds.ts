/** Where the models find a store that holds nothing, a thousand times. */
import type { Store } from '../../src/store/store.ts'

export interface World extends AsyncDisposable {
  /** Opens it, the second time as a new process would. */
  open(): Promise<Store>
}

export interface Worlds {
  readonly name: string
  readonly runs: number
  /** @param clock milliseconds */
  begin(clock: () => number): Promise<World>
}
