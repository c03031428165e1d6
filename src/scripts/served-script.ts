/**
 * One script of the folder: which version of it is in force, whether that is suspended, and what is wrong with the
 * newest.
 *
 *   saved ─► compile ─► check and load ─► store ─► swap ─► unload the old one
 *              └────────────┴─ refused: the version before stays in force
 *   gone ──► park (in the store) ─► unload
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ScriptRow, ScriptVersion, Store } from '../store/store.ts'
import { bringUp, type MissingGrants, type ScriptInForce, takeDown } from './bring-up.ts'
import { type LastWins, lastWins } from './last-wins.ts'
import { type CompiledScript, compileScript } from './load.ts'
import { problemOf, problemText, type ScriptProblem } from './problem.ts'
import type { Content } from './saved-file.ts'

export interface ServedScriptParts {
  readonly name: string
  readonly folder: string
  /** The content of a file as it was last saved. */
  readonly content: (path: string) => Promise<Content>
  readonly store: Pick<Store, 'putScript' | 'parkScript' | 'suspendScript' | 'resumeScript'>
  readonly runtime: Pick<Runtime, 'load' | 'unload'>
  readonly missingGrants: MissingGrants
  readonly log: Log
  readonly now: () => number
  /** Another version is in force, or none. */
  readonly onSwap: () => void
}

export interface DatedProblem extends ScriptProblem {
  readonly atMs: number
}

export type StoredScript = Pick<ScriptRow, 'version' | 'state' | 'subscriptions' | 'suspension'>

export class ServedScript {
  /** Brings what is served in line with the saved files; never rejects. */
  readonly refresh: () => Promise<void>
  readonly #parts: ServedScriptParts
  readonly #refreshing: LastWins
  /** What the store has: the version that was last in force, and whether it is served. */
  #stored: StoredScript | null
  #inForce: ScriptInForce | null = null
  #problem: DatedProblem | null = null
  /** The newest version that only lacks something, or is in force. */
  #inspected: ScriptInForce | null = null
  /** The files that it is made of; null while that is not known. */
  #inputs: ReadonlySet<string> | null = null

  constructor(parts: ServedScriptParts, row: ScriptRow | null) {
    this.#parts = parts
    this.#stored = row
    this.#refreshing = lastWins((signal) => this.#refresh(signal))
    this.refresh = this.#refreshing.begin
  }

  /** Nothing is begun any more; what is under way is given up. */
  close(): void {
    this.#refreshing.close()
  }

  get isRefreshing(): boolean {
    return this.#refreshing.isUnderWay
  }
  get inForce(): ScriptInForce | null {
    return this.#inForce
  }
  /** The version in force, or one that would be if it were given what it needs: what counts when it cannot be asked. */
  get known(): ScriptInForce | null {
    return this.#inForce ?? this.#inspected
  }
  get problem(): DatedProblem | null {
    return this.#problem
  }
  get stored(): StoredScript | null {
    return this.#stored
  }
  /** The version in force, unless it is suspended. */
  get served(): ScriptInForce | null {
    return this.#stored?.state === 'suspended' ? null : this.#inForce
  }

  /** Serves the version no more, if it is in force, until the script is saved or resumed. Never rejects. */
  async suspend(version: string, reason: string): Promise<void> {
    const { name, store, log, now, onSwap } = this.#parts
    if (this.#inForce?.version !== version || this.#stored === null) return
    this.#stored = { ...this.#stored, state: 'suspended', suspension: { reason, atMs: now() } }
    log.error({ script: name, version, reason }, 'The script is suspended until it is saved or resumed')
    onSwap()
    try {
      await store.suspendScript(name, version, reason)
    } catch (error) {
      log.error({ script: name, reason: messageOf(error) }, 'The suspension could not be stored')
    }
  }

  /** @returns false if it was not suspended */
  async resume(): Promise<boolean> {
    const { name, store, log, onSwap } = this.#parts
    if (this.#stored?.state !== 'suspended') return false
    await store.resumeScript(name)
    this.#stored = { ...this.#stored, state: 'active', suspension: null }
    log.info({ script: name }, 'The script is served again')
    onSwap()
    return true
  }

  /** Whether a change of a file can make a difference; a broken script may wait for any file. */
  isMadeOf(path: string): boolean {
    return this.#inputs === null || this.#inputs.has(path) || this.#problem !== null
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { name, content, log } = this.#parts
    try {
      const own = await content(name)
      if (own === null) await this.#park()
      else await this.#renew('text' in own ? own.text : null, signal)
    } catch (error) {
      // The store did not take it: what was in force still is.
      this.#blame(error)
      log.error({ script: name, reason: messageOf(error) }, 'The script could not be brought into force')
    }
  }

  async #renew(sourceText: string | null, signal: AbortSignal): Promise<void> {
    const { name, log, onSwap } = this.#parts
    try {
      this.#inputs = null
      const compiled = await this.#compile()
      signal.throwIfAborted()
      this.#inputs = new Set(compiled.inputs)
      if (compiled.hash !== this.#inForce?.version) await this.#swap(compiled, sourceText, signal)
      this.#problem = null
    } catch (error) {
      // A newer save has the last word.
      if (signal.aborted) return
      const problem = this.#blame(error)
      if (this.#inForce === null) await this.#fallBack()
      // What counts instead of its answers may be another.
      if (this.#inForce === null) onSwap()
      const rest = this.#inForce === null ? 'It is not served' : 'The version before stays in force'
      log.error({ script: name }, `${problemText(problem)}. ${rest}`)
    }
  }

  #compile(): Promise<CompiledScript> {
    const { folder, name, content } = this.#parts
    const read = async (path: string) => {
      const found = await content(path)
      if (found === null) throw new Error('It is gone')
      if ('unreadable' in found) throw new Error(found.unreadable)
      return found.text
    }
    return compileScript({ folder, name, read })
  }

  async #swap(
    { hash, code, sourceMap }: ScriptVersion,
    sourceText: string | null,
    signal?: AbortSignal,
  ): Promise<void> {
    const { name, store, runtime, log, onSwap } = this.#parts
    const version = { hash, code, sourceMap }
    const next = await bringUp(name, version, {
      ...this.#parts,
      sourceText,
      onInspected: (script) => {
        this.#inspected = script
      },
      ...(signal === undefined ? {} : { signal }),
    })
    try {
      await store.putScript(name, version, next.subscriptions, next.manifest.everyMs)
    } catch (error) {
      await takeDown(runtime, hash)
      throw error
    }
    const before = this.#inForce
    this.#inForce = next
    const isSuspended = this.#stored?.state === 'suspended' && this.#stored.version.hash === hash
    const suspension = isSuspended ? this.#stored!.suspension : null
    const state = isSuspended ? 'suspended' : 'active'
    this.#stored = { version, state, subscriptions: next.subscriptions, suspension }
    log.info(
      { script: name, version: hash },
      isSuspended ? 'Script in force, but suspended' : 'Script in force',
    )
    onSwap()
    if (before !== null) this.#unload(before.version)
  }

  /** A broken file, and nothing in force: the version that the store has is served on. */
  async #fallBack(): Promise<void> {
    if (this.#stored === null) return
    try {
      await this.#swap(this.#stored.version, null)
    } catch (error) {
      this.#parts.log.warn(
        { script: this.#parts.name, reason: messageOf(error) },
        'The version before is refused',
      )
    }
  }

  async #park(): Promise<void> {
    const { name, store, log, onSwap } = this.#parts
    this.#problem = null
    this.#inspected = null
    if (this.#stored !== null && this.#stored.state !== 'parked') {
      await store.parkScript(name)
      this.#stored = { ...this.#stored, state: 'parked', suspension: null }
      log.info({ script: name }, 'The script is gone: what it is owed waits for it to come back')
    }
    const before = this.#inForce
    if (before === null) return
    this.#inForce = null
    onSwap()
    this.#unload(before.version)
  }

  /** Runs in flight end on the version that they began with, and nobody waits for them. */
  #unload(version: string): void {
    const { name, runtime, log } = this.#parts
    takeDown(runtime, version).catch((error: unknown) => {
      log.warn({ script: name, version, reason: messageOf(error) }, 'A version could not be unloaded')
    })
  }

  #blame(error: unknown): DatedProblem {
    this.#problem = { ...problemOf(error, this.#parts.name), atMs: this.#parts.now() }
    return this.#problem
  }
}
