/**
 * The server's log: readable on a terminal, JSON lines otherwise. No patient data goes in: callers log
 * identifiers made by hashing, counts and reasons, never tags.
 */
import { createRequire } from 'node:module'
import { pino } from 'pino'
import { printable } from './lib/printable.ts'

export type Log = pino.Logger

/** An open file, pipe or terminal. */
export interface Output {
  readonly fd: number
  readonly isTTY?: boolean
}

/** @param level least level that is written; `silent` writes nothing */
export function createLog(level: string, output: Output = process.stderr): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (!output.isTTY) return pino(options, pino.destination({ dest: output.fd, sync: true }))
  // Only a terminal needs it: it takes as long to load as all that `onstable --help` does.
  const { PinoPretty } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty')
  return pino(
    { ...options, ...forTerminal },
    PinoPretty({
      colorize: true,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'pid,hostname,stage',
      destination: output.fd,
      sync: true,
    }),
  )
}

/** What scripts and senders wrote is no order to the terminal, and does not look like a line of ours. */
const forTerminal = {
  formatters: { log: (facts: object) => printableIn(facts) as Record<string, unknown> },
  hooks: {
    logMethod(this: Log, values: unknown[], write: (...values: unknown[]) => void) {
      write.apply(
        this,
        values.map((each) => (typeof each === 'string' ? indented(printable(each)) : each)),
      )
    },
  },
}

const indented = (text: string) => text.replaceAll('\n', '\n    ')

/** Deeper than this nothing is logged; a fact that contains itself is no reason to fail. */
const deepest = 6

function printableIn(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return printable(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) return '…'
  if (value instanceof Error) return printableIn(pino.stdSerializers.err(value), depth)
  if (Array.isArray(value)) return value.map((each) => printableIn(each, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function') return printableIn(value.toJSON(), depth + 1)
  const entries = Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, each]) => [printable(name).replaceAll('\n', ' '), printableIn(each, depth + 1)]),
  )
}
