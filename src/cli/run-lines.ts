/** Runs as a terminal shows them, and how they are asked for. */
import type { Command } from 'commander'
import { z } from 'zod'
import { fault } from '../errors.ts'
import { onOneLine } from '../lib/printable.ts'

export interface RunFilter {
  readonly script?: string
  readonly callback?: string
  readonly outcome?: string
  readonly resource?: string
  readonly patient?: string
  readonly accession?: string
  readonly since?: string
  readonly until?: string
  readonly limit?: string
}

const names = [
  'script',
  'callback',
  'outcome',
  'resource',
  'patient',
  'accession',
  'since',
  'until',
  'limit',
] as const

export function addRunFilters(command: Command): Command {
  return command
    .option('--script <name>', 'only of this script')
    .option('--callback <name>', 'only of this callback')
    .option('--outcome <outcomes>', 'only with these outcomes, such as "threw,timed-out"')
    .option('--resource <id>', 'only about this resource, or what is below it')
    .option('--patient <PatientID>', 'only about this patient')
    .option('--accession <number>', 'only about the study with this accession number')
    .option('--since <time>', 'only since, such as 2026-11-26T08:00:00Z')
    .option('--until <time>', 'only before')
}

/** Without `--limit`. */
export const usualLimit = 100

/** The query of what was given on the command line. */
export function filterOf(given: RunFilter): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of names) {
    const value = given[name]
    if (value !== undefined) query.set(name, value)
  }
  return query
}

/** The number of a run or of a delivery. */
export function numberOf(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id)
  throw fault('bad-request', `"${id}" is no number: expected that of a run or a delivery, such as 12`)
}

const reason = z
  .object({ message: z.string(), file: z.string().nullish(), line: z.number().nullish() })
  .loose()
  .nullable()

export const run = z
  .object({
    id: z.number(),
    delivery: z.number(),
    script: z.string(),
    callback: z.string(),
    seq: z.number(),
    attempt: z.number(),
    attempts: z.number().nullable(),
    version: z.string(),
    outcome: z.string(),
    reason,
    endedAt: z.string(),
    durationMs: z.number(),
    cpuMs: z.number(),
    memoryBytes: z.number(),
    resource: z.object({ level: z.string(), id: z.string() }).nullable(),
    logs: z.array(z.object({ level: z.string(), text: z.string() })),
    hostCalls: z.array(
      z
        .object({
          name: z.string(),
          target: z.string().nullable(),
          atMs: z.number().default(0),
          durationMs: z.number(),
          bytes: z.number(),
          ok: z.boolean(),
        })
        .loose(),
    ),
    event: z.unknown().optional(),
  })
  .loose()
export type Run = z.infer<typeof run>

export function lineOfRun(each: Run): string {
  const { id, endedAt, script, callback, outcome, durationMs, resource } = each
  const about = resource === null ? '' : `  ${resource.level.toLowerCase()} ${resource.id}`
  const time = endedAt.replace('T', ' ').slice(0, 19)
  const why = each.reason === null ? '' : `: ${onOneLine(each.reason.message)}`
  return `${String(id).padStart(7)}  ${time}  ${outcome.padEnd(13)}  ${script} ${callback}  ${tryOf(each)}  ${round(durationMs)} ms${about}${why}`
}

export function runDetails(each: Run): string[] {
  const { id, script, callback, version, outcome, reason, endedAt, resource, seq } = each
  const place = reason?.file == null ? '' : ` (${reason.file}:${reason.line ?? '?'})`
  return [
    `Run ${id} of ${script}, ${callback}: ${outcome}`,
    ...(reason === null ? [] : [`  why       ${reason.message}${place}`]),
    `  about     ${resource === null ? '-' : `${resource.level.toLowerCase()} ${resource.id}`}${seq === 0 ? '' : `, change ${seq}`}`,
    `  try       ${tryOf(each)}, delivery ${each.delivery}`,
    `  version   ${version}`,
    `  ended     ${endedAt}`,
    `  took      ${round(each.durationMs)} ms, ${round(each.cpuMs)} ms of it at work, ${megabytes(each.memoryBytes)} MB`,
    ...each.hostCalls.map(callLine),
    ...each.logs.map(({ level, text }) => `  ${level.padEnd(8)}  ${text}`),
    ...(each.event === undefined || each.event === null ? [] : [`  event     ${JSON.stringify(each.event)}`]),
  ]
}

function callLine({ name, target, atMs, durationMs, bytes, ok }: Run['hostCalls'][number]): string {
  const end = ok ? `answered with ${bytes} bytes` : 'failed'
  return `  call      host.${name}${target === null ? '' : ` ${target}`}: ${round(durationMs)} ms from ${round(atMs)} ms on, ${end}`
}

/** One that was cut off with its server is tried again, however many tries there were to be. */
const tryOf = ({ attempt, attempts }: Run): string =>
  attempts === null || attempt > attempts ? `try ${attempt}` : `try ${attempt} of ${attempts}`
const round = (number: number): number => Math.round(number * 10) / 10
const megabytes = (bytes: number): number => round(bytes / 1_048_576)
