/**
 * The export `script`: what a script says of itself, checked and with its defaults.
 */
import { z } from 'zod'
import { parseDurationMs } from '../lib/duration.ts'
import { meant } from '../lib/nearest.ts'
import type { KeyChoice } from '../store/store.ts'

export interface Needs {
  /** Names of modalities. */
  readonly send: readonly string[]
  /** Origins with a path prefix. */
  readonly http: readonly string[]
}

export interface Manifest {
  readonly needs: Needs
  readonly retry: {
    /** Tries in all, the first included. */
    readonly attempts: number
    readonly backoff: 'exponential' | 'fixed'
    /** Wait before the second try. */
    readonly delayMs: number
    /** How long after its change a delivery is still tried; null: for as long as there are tries. */
    readonly maxAgeMs: number | null
  }
  /** What its deliveries are kept in order by. */
  readonly key: KeyChoice
  /** Of a resource that becomes stable again: told of all of it, told of and sent what was added, or not told. */
  readonly late: 'rerun' | 'delta' | 'ignore'
  /** How long an answer to a question is waited for, and what it counts as if there is none. */
  readonly ask: { readonly timeoutMs: number; readonly onFailure: 'accept' | 'reject' }
  /** How often `onHeartbeat` is told; null: never. */
  readonly everyMs: number | null
  /** Wall time of one run, and the part of it that it may be at work. */
  readonly timeoutMs: number
  readonly cpuMs: number
  /** Heap of the isolate. */
  readonly memoryMb: number
  /** Runs at a time, each in an isolate of its own. */
  readonly concurrency: number
  /** `process`: never in one process with other scripts. */
  readonly isolation: 'shared' | 'process'
}

const hourMs = 3_600_000

function duration(leastMs: number, mostMs: number) {
  return z.string().transform((text, context) => {
    const ms = parseDurationMs(text)
    if (ms !== null && ms >= leastMs && ms <= mostMs) return ms
    const range = `from ${leastMs} ms to ${mostMs / 1_000} s`
    context.addIssue({ code: 'custom', message: `Expected a duration such as "30s", ${range}` })
    return z.NEVER
  })
}

const httpPrefix = z
  .string()
  .refine(isHttpPrefix, 'Expected an origin with a path, such as "https://ris.example.org/"')

const needs = z.strictObject({
  send: z.array(z.string().min(1)).default([]),
  http: z.array(httpPrefix).default([]),
})
const retry = z.strictObject({
  attempts: z.number().int().min(1).max(100).default(8),
  backoff: z.enum(['exponential', 'fixed']).default('exponential'),
  delay: duration(0, hourMs).default(1_000),
  maxAge: duration(1, 365 * 24 * hourMs)
    .nullable()
    .default(null),
})
const ask = z.strictObject({
  timeout: duration(1, 10_000).default(100),
  onFailure: z.enum(['accept', 'reject']).default('accept'),
})
const manifest = z.strictObject({
  needs: needs.prefault({}),
  retry: retry.prefault({}),
  key: z.enum(['patient', 'study', 'series', 'resource', 'none']).default('study'),
  late: z.enum(['rerun', 'delta', 'ignore']).default('rerun'),
  ask: ask.prefault({}),
  every: duration(1_000, 366 * 24 * hourMs)
    .nullable()
    .default(null),
  timeout: duration(1, hourMs).default(30_000),
  cpu: duration(1, hourMs).default(10_000),
  memoryMb: z.number().int().min(8).max(1_024).default(64),
  concurrency: z.number().int().min(1).max(16).default(1),
  isolation: z.enum(['shared', 'process']).default('shared'),
})

const keysAt: Record<string, readonly string[]> = {
  '': Object.keys(manifest.shape),
  needs: Object.keys(needs.shape),
  retry: Object.keys(retry.shape),
  ask: Object.keys(ask.shape),
}

/** Reads what a script exports as `script`; a string says what is wrong with it. */
export function readManifest(exported: unknown): Manifest | string {
  const parsed = manifest.safeParse(exported ?? {})
  if (!parsed.success) return messageOf(parsed.error.issues[0]!)
  const { retry: again, timeout: timeoutMs, cpu, every: everyMs, ask: question, ...rest } = parsed.data
  const { attempts, backoff, delay: delayMs, maxAge: maxAgeMs } = again
  const retry = { attempts, backoff, delayMs, maxAgeMs }
  const ask = { timeoutMs: question.timeout, onFailure: question.onFailure }
  return { ...rest, retry, ask, everyMs, timeoutMs, cpuMs: Math.min(cpu, timeoutMs) }
}

function messageOf(issue: z.core.$ZodIssue): string {
  const place = ['script', ...issue.path].join('.')
  if (issue.code !== 'unrecognized_keys') return `Bad value for "${place}": ${issue.message}`
  const key = issue.keys[0]!
  return `Unknown key "${key}" in "${place}": ${meant(key, keysAt[issue.path.join('.')] ?? [])}`
}

function isHttpPrefix(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && username + password + search + hash === ''
}
