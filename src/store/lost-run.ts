/** The record of an attempt that nobody saw end: its server was killed, or stood still until its lease was over. */
import type { RunRecord } from './store.ts'

export const lostRun: Omit<RunRecord, 'version'> = {
  outcome: 'crashed',
  reason: JSON.stringify({
    message:
      'The server ended, or stood still for too long, during this attempt: what it did by then is not known',
  }),
  attempts: null,
  durationMs: 0,
  cpuMs: 0,
  memoryBytes: 0,
  logs: '[]',
  hostCalls: '[]',
  event: null,
}
