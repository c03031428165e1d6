/** The models on SQLite. */
import { openSqlite } from '../../src/store/store.ts'
import { memoryFolder } from '../support/folders.ts'
import { dispatchModel } from './dispatch.model.ts'
import { storeModel } from './store.model.ts'
import type { Worlds } from './worlds.ts'

/** A thousand each in the longer suites. */
const runs = Number(process.env.ONSTABLE_MODEL_RUNS ?? 100)

const sqlite: Worlds = {
  name: 'SQLite',
  runs,
  async begin(clock) {
    const folder = memoryFolder()
    return {
      open: () => openSqlite({ folder: folder.path, clock }),
      [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
    }
  },
}

storeModel(sqlite)
dispatchModel(sqlite)
