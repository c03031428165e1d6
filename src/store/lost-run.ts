/** The record of an attempt that nobody saw end: its server was killed, or stood still until its lease was over. */
import { nothingRan, type RunRecord } from './run.ts'

/** Of one that was told of something that the log alone does not say. */
export const unknownEvent = ''

export const lostRun: Omit<RunRecord, 'version' | 'event'> = {
  outcome: 'crashed',
  reason: JSON.stringify({
    message:
      'The server ended, or stood still for too long, during this attempt: what it did by then is not known',
  }),
  ...nothingRan,
}
