/** Every attack, each class in a file of its own. */
import type { Attack } from './attack.ts'
import { aftermath } from './corpus/aftermath.ts'
import { ahead } from './corpus/ahead.ts'
import { asked } from './corpus/asked.ts'
import { buffers } from './corpus/buffers.ts'
import { collections } from './corpus/collections.ts'
import { compiling } from './corpus/compiling.ts'
import { escapes } from './corpus/escape.ts'
import { exporting } from './corpus/exporting.ts'
import { floods } from './corpus/flood.ts'
import { loading } from './corpus/loading.ts'
import { logged } from './corpus/logged.ts'
import { loops } from './corpus/loops.ts'
import { memory } from './corpus/memory.ts'
import { nativeCode } from './corpus/native-code.ts'
import { objects } from './corpus/objects.ts'
import { outside } from './corpus/outside.ts'
import { patches } from './corpus/patching.ts'
import { patterns } from './corpus/patterns.ts'
import { processor } from './corpus/processor.ts'
import { promises } from './corpus/promises.ts'
import { reaching } from './corpus/reaching.ts'
import { readings } from './corpus/reading.ts'
import { recursion } from './corpus/recursion.ts'
import { returned } from './corpus/returned.ts'
import { texts } from './corpus/texts.ts'
import { thrown } from './corpus/thrown.ts'

export const classes: Readonly<Record<string, readonly Attack[]>> = {
  processor,
  'native code': nativeCode,
  'regular expressions': patterns,
  loops,
  'promises and timers': promises,
  memory,
  collections,
  'texts and numbers': texts,
  buffers,
  objects,
  recursion,
  'what is thrown': thrown,
  'what is returned': returned,
  'what is logged': logged,
  'what is asked': asked,
  'patched intrinsics': patches,
  escapes,
  'walks through what is given': reaching,
  'reading what is not granted': readings,
  floods,
  'an outside on its side': outside,
  aftermath,
  'ahead of its turn': ahead,
  loading,
  'manifest and exports': exporting,
  compiling,
}
