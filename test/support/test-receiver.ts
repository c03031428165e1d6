/** The DICOM receiver over a real intake. */
import { startDicomReceiver } from '../../src/intake/intake.ts'
import { openTestIntake, type TestIntake } from './test-intake.ts'

export interface TestReceiver extends TestIntake {
  readonly dicomPort: number
}

interface Limits {
  readonly idleMs?: number
  readonly memoryBytes?: number
}

/** @param given settings by name; the port is any free one */
export async function startTestReceiver(
  given: Record<string, unknown> = {},
  limits: Limits = {},
): Promise<TestReceiver> {
  await using starting = new AsyncDisposableStack()
  const opened = starting.use(await openTestIntake({ dicomPort: 0, ...given }))
  const receiver = starting.use(await startDicomReceiver({ ...opened, ...limits }))
  const started = starting.move()
  return { ...opened, dicomPort: receiver.port, [Symbol.asyncDispose]: () => started.disposeAsync() }
}
