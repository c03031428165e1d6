/** Scripts for the runtime, made from text as the loader makes them. */
import { transformSync } from 'esbuild'
import type {
  AnswerCall,
  HostAnswer,
  HostCall,
  Limits,
  Program,
  RunResult,
  Runtime,
} from '../../src/runtime/runtime.ts'

let made = 0

/** A version of its own for every call. */
export function makeProgram(source: string, limits: Partial<Limits> = {}, script = 'script.ts'): Program {
  const timeoutMs = limits.timeoutMs ?? 5_000
  const { code, map } = transformSync(source, {
    loader: 'ts',
    format: 'iife',
    globalName: '__exports',
    sourcemap: 'external',
    sourcefile: script,
  })
  return {
    version: `version-${++made}`,
    script,
    code,
    sourceMap: map,
    limits: { timeoutMs, cpuMs: timeoutMs, memoryMb: 64, ...limits },
    isolation: 'shared',
  }
}

/** Loads a script and gives the function that runs one of its callbacks. */
export async function loadProgram(runtime: Runtime, source: string, limits: Partial<Limits> = {}) {
  const program = makeProgram(source, limits)
  await runtime.load(program)
  return (callback = 'onChange', event: unknown = {}, answer: AnswerCall = noAnswer): Promise<RunResult> =>
    runtime.run({ version: program.version, callback, event: JSON.stringify(event), answer })
}

/** The lines that a run logged. */
export function linesOf(result: RunResult): string[] {
  return result.logs.map(({ text }) => text)
}

async function noAnswer(call: HostCall): Promise<HostAnswer> {
  return { ok: false, error: { code: 'not-granted', message: `No ${call.name} here` } }
}
