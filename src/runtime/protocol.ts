/**
 * The wall between the engine and a child process: everything that may cross it, both ways.
 * A message is a header, parsed here, and a body of text that is passed on unread.
 * The `id` of a message is that of the task (a load, an unload or a run) it belongs to.
 */
import { z } from 'zod'
import { caps } from './caps.ts'

/**
 * What the engine asks of a child. The body of `load` is the code, of `run` the event, of `answer` JSON. A run
 * may be handed over ahead: it begins when the one it is `after` has ended well, or not at all; after a `recall`
 * none of its version begins that has not. A task that is abandoned is to end at once. A `ping` is answered with a
 * `pong`.
 */
export type ToChild =
  | { type: 'load'; id: number; version: string; timeoutMs: number; cpuMs: number; memoryMb: number }
  | { type: 'unload'; id: number; version: string; timeoutMs: number; cpuMs: number }
  | {
      type: 'run'
      id: number
      version: string
      callback: string
      timeoutMs: number
      cpuMs: number
      after: number | null
    }
  | { type: 'answer'; id: number; call: number; ok: boolean }
  | { type: 'recall'; version: string }
  | { type: 'abandon'; id: number }
  | { type: 'ping' }

/** The limits that a task can meet: of its wall time, of its time at work, of its memory. */
const limits = ['timed-out', 'out-of-cpu', 'out-of-memory'] as const
export type MetLimit = (typeof limits)[number]

/** A message that begins a task. */
export type FirstMessage = Exclude<ToChild, { type: 'answer' | 'recall' | 'abandon' | 'ping' }>

const count = z.number().int().nonnegative()

/**
 * What a child tells the engine. The body of `ended` is a `WireThrown` as JSON or, of a load that went well, a
 * `WireLoaded`; of `call` the arguments as JSON; of `log` the text.
 */
export const fromChild = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('alive') }),
  z.strictObject({ type: z.literal('pong') }),
  z.strictObject({
    type: z.literal('ended'),
    id: count,
    /** `not-begun`: the run that it was to follow did not end well, or it was recalled. */
    outcome: z.enum(['ok', 'threw', ...limits, 'crashed', 'not-begun']),
    cpuMs: z.number().nonnegative(),
    memoryBytes: z.number().nonnegative(),
    /** The isolate is gone: it has to be loaded again before its next run. */
    disposed: z.boolean(),
  }),
  z.strictObject({ type: z.literal('call'), id: count, call: count, name: z.string().max(40) }),
  /** A call is given up: it is to be ended, and answered nevertheless. */
  z.strictObject({ type: z.literal('cancel'), id: count, call: count }),
  z.strictObject({ type: z.literal('log'), id: count, level: z.enum(['debug', 'info', 'warn', 'error']) }),
  /** A task could not be ended: only the end of the process ends it. */
  z.strictObject({
    type: z.literal('wedged'),
    id: count,
    outcome: z.enum(limits),
  }),
])
export type FromChild = z.infer<typeof fromChild>
export type Ended = Extract<FromChild, { type: 'ended' }>

/** What a script threw, in places of the bundle, and what that says of how its delivery goes on. */
export const wireThrown = z.object({
  name: z.string(),
  message: z.string(),
  stack: z.string(),
  retryAfterMs: z.number().min(0).max(caps.retryAfterMs).optional(),
  givesUp: z.literal(true).optional(),
})
export type WireThrown = z.infer<typeof wireThrown>

export const wireLoaded = z.strictObject({ functions: z.array(z.string()), manifest: z.unknown().optional() })

/** A call that a callback makes: its name and its arguments as JSON, not yet looked at. */
export interface HostCall {
  readonly name: string
  readonly argumentsJson: string
}
