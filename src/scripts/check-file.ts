/**
 * Checks one script file as it would be checked on being saved, without putting it in force.
 */
import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Runtime } from '../runtime/runtime.ts'
import { inspect, type MissingGrants, type ScriptInForce } from './bring-up.ts'
import { compileScript } from './load.ts'
import { problemOf, type ScriptProblem } from './problem.ts'

export interface CheckParts {
  readonly runtime: Pick<Runtime, 'load' | 'unload'>
  readonly missingGrants: MissingGrants
}

export type ScriptCheck =
  | { readonly ok: true; readonly script: ScriptInForce }
  | { readonly ok: false; readonly problem: ScriptProblem }

/** Compiles the file and looks at its exports; its `initialize` is not called. */
export async function checkScriptFile(
  path: string,
  { runtime, missingGrants }: CheckParts,
): Promise<ScriptCheck> {
  const name = basename(path)
  try {
    const folder = await realpath(dirname(path))
    const read = (inside: string) => readFile(join(folder, inside), 'utf8')
    const sourceText = await read(name)
    const compiled = await compileScript({ folder, name, read })
    return { ok: true, script: await inspect(name, compiled, { runtime, missingGrants, sourceText }) }
  } catch (error) {
    return { ok: false, problem: problemOf(error, name) }
  }
}
