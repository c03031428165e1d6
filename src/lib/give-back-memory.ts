/** Gives the memory back that loading took: the garbage of it is as much as what is kept. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Stops this thread for some 50 ms, so it is for a moment at which nobody is served yet. */
export function giveBackMemory(): void {
  // What `--expose-gc` adds is found only in contexts that are made after it.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (how: object) => void
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', flavor: 'last-resort' })
}
