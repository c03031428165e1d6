/**
 * What an administrator is told of a script.
 */
import type { ScriptInForce } from './bring-up.ts'
import type { Needs } from './manifest.ts'
import type { DatedProblem, ScriptProblem } from './problem.ts'
import type { StoredRow } from './stored-script.ts'

export interface ScriptStatus {
  readonly name: string
  /**
   * `in-force`: served, maybe with a problem of a newer save. `suspended`: the version in force does harm, and is not
   * served. `refused`: no version is fit to be served. `parked`: the file is gone.
   */
  readonly state: 'in-force' | 'suspended' | 'refused' | 'parked'
  readonly version: string | null
  readonly callbacks: readonly string[]
  readonly needs: Needs
  /** What is wrong with the file as it is, or why it is suspended; `at` is ISO 8601, UTC. */
  readonly problem: (ScriptProblem & { readonly at: string }) | null
}

interface Facts {
  readonly inForce: ScriptInForce | null
  readonly problem: DatedProblem | null
  readonly stored: StoredRow | null
}

export function statusOf(name: string, { inForce, problem, stored }: Facts): ScriptStatus {
  const dated = problem === null ? null : datedProblem(problem)
  if (inForce !== null) {
    const { version, callbacks, manifest } = inForce
    const facts = { name, version, callbacks, needs: manifest.needs }
    const suspension = stored?.suspension ?? null
    if (suspension === null) return { ...facts, state: 'in-force', problem: dated }
    const { reason: message, atMs } = suspension
    const place = { file: name, line: null, column: null }
    return { ...facts, state: 'suspended', problem: dated ?? datedProblem({ message, ...place, atMs }) }
  }
  const nothing = { name, needs: { send: [], http: [] }, problem: dated }
  if (stored?.state !== 'parked' || problem !== null) {
    return { ...nothing, state: 'refused', version: null, callbacks: [] }
  }
  const callbacks = [...new Set(stored.subscriptions.map(({ callback }) => callback))]
  return { ...nothing, state: 'parked', version: stored.version, callbacks }
}

function datedProblem({ message, file, line, column, atMs }: DatedProblem) {
  return { message, file, line, column, at: new Date(atMs).toISOString() }
}
