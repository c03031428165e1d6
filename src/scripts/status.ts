/**
 * What an administrator is told of a script.
 */
import type { ScriptRow } from '../store/store.ts'
import type { ScriptInForce } from './bring-up.ts'
import type { Needs } from './manifest.ts'
import type { ScriptProblem } from './problem.ts'
import type { DatedProblem } from './served-script.ts'

export interface ScriptStatus {
  readonly name: string
  /** `in-force`: served, maybe with a problem of a newer save. `refused`: no version is served. `parked`: the file is gone. */
  readonly state: 'in-force' | 'refused' | 'parked'
  readonly version: string | null
  readonly callbacks: readonly string[]
  readonly needs: Needs
  /** What is wrong with the file as it is; `at` is ISO 8601, UTC. */
  readonly problem: (ScriptProblem & { readonly at: string }) | null
}

interface Facts {
  readonly inForce: ScriptInForce | null
  readonly problem: DatedProblem | null
  readonly stored: Pick<ScriptRow, 'version' | 'state' | 'subscriptions'> | null
}

export function statusOf(name: string, { inForce, problem, stored }: Facts): ScriptStatus {
  const dated = problem === null ? null : datedProblem(problem)
  if (inForce !== null) {
    const { version, callbacks, manifest } = inForce
    return { name, state: 'in-force', version, callbacks, needs: manifest.needs, problem: dated }
  }
  const nothing = { name, needs: { send: [], http: [] }, problem: dated }
  if (stored?.state !== 'parked' || problem !== null) {
    return { ...nothing, state: 'refused', version: null, callbacks: [] }
  }
  const callbacks = [...new Set(stored.subscriptions.map(({ callback }) => callback))]
  return { ...nothing, state: 'parked', version: stored.version.hash, callbacks }
}

function datedProblem({ message, file, line, column, atMs }: DatedProblem) {
  return { message, file, line, column, at: new Date(atMs).toISOString() }
}
