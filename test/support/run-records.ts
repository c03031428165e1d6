/** A run that went well, for tests of the store. */
import type { RunRecord } from '../../src/store/store.ts'

export const wellRun: RunRecord = {
  version: 'v1',
  outcome: 'ok',
  reason: null,
  attempts: null,
  durationMs: 1,
  cpuMs: 1,
  memoryBytes: 1,
  logs: '[]',
  hostCalls: '[]',
  event: null,
}
