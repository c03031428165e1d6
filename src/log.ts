/**
 * The server's log: readable on a terminal, JSON lines otherwise. No patient data goes in: callers log
 * identifiers made by hashing, counts and reasons, never tags.
 */
import { createRequire } from 'node:module'
import { pino } from 'pino'

export type Log = pino.Logger

/** @param level least level that is written; `silent` writes nothing */
export function createLog(level: string, output: NodeJS.WriteStream = process.stderr): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (!output.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }))
  // Only a terminal needs it: it takes as long to load as all that `onstable --help` does.
  const { PinoPretty } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty')
  return pino(
    options,
    PinoPretty({
      colorize: true,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'pid,hostname,stage',
      destination: 2,
      sync: true,
    }),
  )
}
