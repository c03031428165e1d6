/** A real log whose lines a test can read. */
import { pino } from 'pino'
import type { Log } from '../../src/log.ts'

export interface LogLine extends Record<string, unknown> {
  readonly level: number
  readonly msg: string
}

export function keptLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as LogLine)
  return { log: pino({ level: 'debug', base: null }, { write }), lines }
}
