/** Starts the runtime as the user of this process, prints the line about its walls, and ends. */
import { createLog } from '../../src/log.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'

await using _ = await startRuntime({ log: createLog('info') })
