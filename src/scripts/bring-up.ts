/**
 * From a compiled version of a script to one that can be served: looked into, checked, then loaded.
 */
import { z } from 'zod'
import type { Program, Runtime } from '../runtime/runtime.ts'
import type { ScriptVersion, Subscription } from '../store/store.ts'
import { asksAmong, type CallbackName, subscriptionsOf } from './callbacks.ts'
import { callbacksAmong, misspelt } from './exports.ts'
import { type Manifest, type Needs, readManifest } from './manifest.ts'
import { placeOfExport, problemOf, refused } from './problem.ts'

/** The version of a script that is served. */
export interface ScriptInForce {
  /** File name of the script. */
  readonly name: string
  /** Content hash. */
  readonly version: string
  readonly manifest: Manifest
  readonly callbacks: readonly CallbackName[]
  readonly subscriptions: readonly Subscription[]
}

/** A script that answers a question. */
export interface AskedScript {
  readonly script: ScriptInForce
  /** Why it cannot be asked; null: it can. */
  readonly silence: 'refused' | 'suspended' | null
}

/** Says which of the needs are not granted and what to do; null: all are. */
export type MissingGrants = (script: string, needs: Needs) => string | null

export interface BringUpParts {
  readonly runtime: Pick<Runtime, 'load' | 'unload'>
  readonly missingGrants: MissingGrants
  /** Aborted when a newer version is waiting. */
  readonly signal?: AbortSignal
  /** Told of a version that is fit to be served, if it is given all that it needs. */
  readonly onInspected?: (script: ScriptInForce) => void
  /** Text of the script file, to find the place of an export; null if there is none. */
  readonly sourceText: string | null
}

/**
 * Checks a version and loads it into the runtime, where its `initialize` is called.
 * @throws `script-refused` if it is not fit to be served; nothing of it stays loaded then
 */
export async function bringUp(
  name: string,
  version: ScriptVersion,
  parts: BringUpParts,
): Promise<ScriptInForce> {
  const script = await inspect(name, version, parts)
  const { timeoutMs, cpuMs, memoryMb } = script.manifest
  const isolation = isolationOf(script.manifest)
  const limits = { timeoutMs, cpuMs, memoryMb }
  const { runtime, signal } = parts
  signal?.throwIfAborted()
  await runtime.load({ ...programOf(name, version, limits, isolation), loadMs: loadMsOf(timeoutMs) }, signal)
  if (asksAmong(script.callbacks).length === 0) return script
  try {
    await runtime.load(askProgramOf(name, version, script.manifest), signal)
  } catch (error) {
    await runtime.unload(version.hash)
    throw error
  }
  return script
}

/**
 * The server takes in nothing before its scripts are loaded, so a load has a bound, whatever a run may take. And a busy
 * machine may take longer to make an isolate than some runs may.
 */
const longestLoadMs = 10_000
const shortestLoadMs = 2_000
const loadMsOf = (timeoutMs: number) => Math.max(shortestLoadMs, Math.min(timeoutMs, longestLoadMs))

/** What the isolates of one script may hold together beside those of others, in MB. */
const mostSharedMb = 512

/** One that may hold more has a process of its own: nobody else dies with it when that holds too much. */
function isolationOf({ isolation, memoryMb, concurrency }: Manifest): Program['isolation'] {
  return memoryMb * concurrency > mostSharedMb ? 'process' : isolation
}

/** Drops all isolates of a version. */
export async function takeDown(runtime: Pick<Runtime, 'unload'>, hash: string): Promise<void> {
  await Promise.all([runtime.unload(hash), runtime.unload(askVersionOf(hash))])
}

/** Under which name the runtime has the isolate of a version that answers questions. */
export const askVersionOf = (hash: string): string => `${hash}-ask`

/**
 * Questions have an isolate of their own, in a process of its own: whatever scripts are told meanwhile, it is free.
 * The load may take as long as any other; each question has its own, shorter, time.
 */
function askProgramOf(name: string, version: ScriptVersion, manifest: Manifest): Program {
  const { ask, timeoutMs, memoryMb } = manifest
  const limits = { timeoutMs: ask.timeoutMs, cpuMs: ask.timeoutMs, memoryMb }
  const hash = askVersionOf(version.hash)
  const program = programOf(name, { ...version, hash }, limits, 'process')
  return { ...program, loadMs: loadMsOf(timeoutMs), isUrgent: true }
}

/**
 * Looks into a version without calling `initialize`: its limits have to be known before the isolate is made
 * that will serve it.
 * @throws `script-refused`
 */
export async function inspect(
  name: string,
  version: ScriptVersion,
  parts: BringUpParts,
): Promise<ScriptInForce> {
  const { functions, exported } = await lookInto(name, version, parts)
  const refusal = (message: string, exportName: string) =>
    refused({ message, file: name, ...placeOfExport(parts.sourceText ?? '', exportName) })
  const wrong = misspelt(functions)
  if (wrong !== null) throw refusal(wrong.message, wrong.name)
  const callbacks = callbacksAmong(functions)
  if (callbacks.length === 0) {
    const advice = 'export one, such as "onStableStudy", or put shared code in a subfolder'
    throw refusal(`The script exports no callback: ${advice}`, 'export')
  }
  const manifest = readManifest(exported)
  if (typeof manifest === 'string') throw refusal(manifest, 'script')
  if ((manifest.everyMs !== null) !== callbacks.includes('onHeartbeat'))
    throw refusal(unlikePair(manifest), 'script')
  const subscriptions = subscriptionsOf(callbacks, manifest.key)
  const script = { name, version: version.hash, manifest, callbacks, subscriptions }
  parts.onInspected?.(script)
  const missing = parts.missingGrants(name, manifest.needs)
  if (missing !== null) throw refusal(missing, 'script')
  return script
}

function unlikePair({ everyMs }: Manifest): string {
  return everyMs === null
    ? 'The script exports "onHeartbeat" and does not say how often: add "every" to "script", such as every: "5m"'
    : 'The script says "every" and exports no "onHeartbeat": export it, or remove "every"'
}

const lookLimits = { timeoutMs: 5_000, cpuMs: 5_000, memoryMb: 256 }

/** Replaces the exports by a description of them, in which the runtime finds nothing to call. */
const describeExports = `
__exports = { script: { exported: __exports?.script,
  functions: Object.keys(__exports ?? {}).filter((name) => typeof __exports[name] === 'function') } };`

const description = z.object({ exported: z.unknown().optional(), functions: z.array(z.string()) })

async function lookInto(name: string, version: ScriptVersion, { runtime, signal }: BringUpParts) {
  const hash = `${version.hash}-look`
  // One that wants a process of its own is not begun in that of the others. How it says so is known only afterwards.
  const isolation = /\bisolation\b/.test(version.code) ? 'process' : 'shared'
  const described = { ...version, hash, code: version.code + describeExports }
  const program = programOf(name, described, lookLimits, isolation)
  try {
    const { manifest } = await runtime.load(program, signal)
    const parsed = description.safeParse(manifest)
    if (!parsed.success) {
      throw refused({ ...problemOf(new Error('The export "script" is not plain data'), name) })
    }
    return parsed.data
  } finally {
    await runtime.unload(hash)
  }
}

function programOf(
  script: string,
  { hash, code, sourceMap }: ScriptVersion,
  limits: Program['limits'],
  isolation: Program['isolation'] = 'shared',
): Program {
  return { version: hash, script, code, sourceMap, limits, isolation }
}
