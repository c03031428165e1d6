/** The records of attempts that nobody saw end. */
import { nothingRan, type RunRecord } from './run.ts'

/** Of one that was told of something that the log alone does not say. */
export const unknownEvent = ''

/** Its server was killed, or stood still until its lease was over. */
export const lostRun: Omit<RunRecord, 'version' | 'event'> = {
  outcome: 'crashed',
  reason: JSON.stringify({
    message:
      'The server ended, or stood still for too long, during this attempt: what it did by then is not known',
  }),
  ...nothingRan,
}

/** Its server was stopped, and did not wait for it any longer. */
export const stoppedRun: Omit<RunRecord, 'version' | 'event'> = {
  ...lostRun,
  reason: JSON.stringify({ message: 'The server was stopped during this attempt, which does not count' }),
}
