/** Every attack, each class in a file of its own. */
import type { Attack } from './attack.ts'
import { aftermath } from './corpus/aftermath.ts'
import { boundary } from './corpus/boundary.ts'
import { escapes } from './corpus/escape.ts'
import { flood } from './corpus/flood.ts'
import { loading } from './corpus/loading.ts'
import { memory } from './corpus/memory.ts'
import { patches } from './corpus/patching.ts'
import { processor } from './corpus/processor.ts'
import { recursion } from './corpus/recursion.ts'

export const classes: Readonly<Record<string, readonly Attack[]>> = {
  processor,
  memory,
  recursion,
  'what crosses the wall': boundary,
  'patched intrinsics': patches,
  escapes,
  floods: flood,
  aftermath,
  loading,
}
