/**
 * The wall between the engine and a child process: everything that may cross it, both ways.
 * A message is a header, parsed here, and a body of text that is passed on unread.
 */
import { z } from 'zod'

/** What the engine asks of a child. The body of `load` is the code, of `run` the event, of `answer` JSON. */
export type ToChild =
  | { type: 'load'; id: number; version: string; script: string; timeoutMs: number; memoryMb: number }
  | { type: 'unload'; id: number; version: string }
  | { type: 'run'; id: number; version: string; callback: string; timeoutMs: number }
  | { type: 'answer'; run: number; call: number; ok: boolean }

const count = z.number().int().nonnegative()
const outcome = z.enum(['ok', 'threw', 'timed-out', 'out-of-memory', 'crashed'])

/**
 * What a child tells the engine. The body of `loaded` is JSON of functions and manifest, of `ended` the error as
 * JSON or nothing, of `call` the arguments as JSON, of `log` the text.
 */
export const fromChild = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('alive') }),
  z.strictObject({ type: z.literal('loaded'), id: count, ok: z.boolean() }),
  z.strictObject({ type: z.literal('unloaded'), id: count }),
  z.strictObject({
    type: z.literal('ended'),
    id: count,
    outcome,
    cpuMs: z.number().nonnegative(),
    memoryBytes: z.number().nonnegative(),
    /** The isolate is gone: it has to be loaded again before its next run. */
    disposed: z.boolean(),
  }),
  z.strictObject({ type: z.literal('call'), run: count, call: count, name: z.string().max(40) }),
  z.strictObject({ type: z.literal('log'), run: count, level: z.enum(['debug', 'info', 'warn', 'error']) }),
  /** A run could not be ended: only the end of this process ends it. */
  z.strictObject({ type: z.literal('wedged'), run: count }),
])
export type FromChild = z.infer<typeof fromChild>

/** A call that a callback makes: its name and its arguments as JSON, not yet looked at. */
export interface HostCall {
  readonly name: string
  readonly argumentsJson: string
}

/** Larger frames end the child. */
export const maxFrameBytes = 8 * 1024 * 1024
