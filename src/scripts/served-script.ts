/**
 * One script of the folder: which version of it is in force, whether that is suspended, and what is wrong with the
 * newest.
 *
 *   saved ─► compile ─► check and load ─► store ─► swap ─► unload the old one
 *              └────────────┴─ refused: the version before stays in force
 *   put in force by another server ─► check and load ─► swap
 *   gone ──► park (in the store) ─► unload
 */
import { isAway, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ScriptVersion } from '../store/store.ts'
import type { MissingGrants, ScriptInForce } from './bring-up.ts'
import { InForce } from './in-force.ts'
import { type LastWins, lastWins } from './last-wins.ts'
import { compileSaved } from './load.ts'
import { type DatedProblem, problemOf, problemText } from './problem.ts'
import type { Content } from './saved-file.ts'
import { type Forgotten, type ScriptStore, type StoredRow, StoredScript } from './stored-script.ts'

export interface ServedScriptParts {
  readonly name: string
  readonly folder: string
  /** The content of a file as it was last saved. */
  readonly content: (path: string) => Promise<Content>
  readonly store: ScriptStore
  readonly runtime: Pick<Runtime, 'load' | 'unload'>
  readonly missingGrants: MissingGrants
  readonly log: Log
  readonly now: () => number
  /** Another version is in force, or none. */
  readonly onSwap: () => void
}

/** How soon a version is tried again that others serve. */
const againMs = 10_000

export class ServedScript {
  readonly #parts: ServedScriptParts
  readonly #refreshing: LastWins
  readonly #inForce: InForce
  readonly #stored: StoredScript
  #problem: DatedProblem | null = null
  /** The files that it is made of; null while that is not known. */
  #inputs: ReadonlySet<string> | null = null
  /** Which file of it may be another one than what was last looked at; null: none. */
  #saved: 'own' | 'any' | null = null
  /** Its file was there once. */
  #wasThere = false

  constructor(parts: ServedScriptParts, row: StoredRow | null) {
    this.#parts = parts
    this.#stored = new StoredScript(parts, row)
    this.#inForce = new InForce(parts)
    this.#refreshing = lastWins((signal) => this.#refresh(signal))
  }

  /** Brings what is served in line with the saved files, of which `saved` is another one now; never rejects. */
  refresh(saved: 'own' | 'any' = 'any'): Promise<void> {
    if (this.#saved !== 'own') this.#saved = saved
    return this.#refreshing.begin()
  }

  /**
   * What the store says now, which others may have changed. Never rejects. A save that is being looked at counts more.
   * @param askedAt of `performance.now()`
   */
  async agree(row: StoredRow, askedAt: number): Promise<void> {
    if (this.#refreshing.isUnderWay) return
    // What all serve could not be loaded here, for want of a grant or of time.
    const isDue = this.inForce === null && this.#parts.now() - (this.#problem?.atMs ?? 0) > againMs
    if (!this.#stored.hear(row, askedAt) && this.#saved === null && !(isDue && row.state === 'active')) return
    await this.#refreshing.begin()
  }

  /** The store does not know it any more: it is served anew if its file is here, and else no more. Never rejects. */
  async hearGone(askedAt: number): Promise<void> {
    if (this.#refreshing.isUnderWay || !this.#stored.hearGone(askedAt)) return
    this.#inForce.drop()
    await this.refresh()
  }

  forget(): Promise<Forgotten> {
    return this.#stored.forget()
  }

  /** Nothing is begun any more; what is under way is given up. */
  close(): void {
    this.#refreshing.close()
  }

  get isRefreshing(): boolean {
    return this.#refreshing.isUnderWay
  }
  get inForce(): ScriptInForce | null {
    return this.#inForce.current
  }
  /** The version in force, or one that would be if it were given what it needs: what counts when it cannot be asked. */
  get known(): ScriptInForce | null {
    return this.#inForce.known
  }
  get problem(): DatedProblem | null {
    return this.#problem
  }
  get stored(): StoredRow | null {
    return this.#stored.row
  }
  /** The version in force, unless it is suspended. */
  get served(): ScriptInForce | null {
    return this.#stored.isSuspended ? null : this.inForce
  }

  /** Serves the version no more, if it is in force, until the script is saved or resumed. Never rejects. */
  async suspend(version: string, reason: string): Promise<void> {
    const { name, log, now, onSwap } = this.#parts
    if (this.inForce?.version !== version || this.stored === null) return
    const storing = this.#stored.suspend(reason, now())
    log.error({ script: name, version, reason }, 'The script is suspended until it is saved or resumed')
    onSwap()
    await storing
  }

  /** @returns false if it was not suspended */
  async resume(): Promise<boolean> {
    const { name, log, onSwap } = this.#parts
    if (!this.#stored.isSuspended) return false
    await this.#stored.resume()
    log.info({ script: name }, 'The script is served again')
    onSwap()
    return true
  }

  /** Whether a change of a file can make a difference; a broken script may wait for any file. */
  isMadeOf(path: string): boolean {
    return this.#inputs === null || this.#inputs.has(path) || this.#problem !== null
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { name, log } = this.#parts
    try {
      if (this.#saved !== null) await this.#lookAtFile(signal)
      else await this.#follow()
      // What was given up for a newer save has not been looked at.
      if (!signal.aborted) this.#saved = null
    } catch (error) {
      // The store did not take it: what was in force still is.
      this.#blame(error)
      log.error({ script: name, reason: messageOf(error) }, 'The script could not be brought into force')
    }
  }

  async #lookAtFile(signal: AbortSignal): Promise<void> {
    const { name, content, store } = this.#parts
    const own = await content(name)
    // Others may have the file, or had it: only who sees it go can say that it is gone.
    const isWithOthers = store.cluster !== null && !this.#wasThere && this.stored !== null
    this.#wasThere = own !== null
    if (own !== null) await this.#renew('text' in own ? own.text : null, signal)
    else if (isWithOthers) await this.#follow()
    else await this.#park()
  }

  async #renew(sourceText: string | null, signal: AbortSignal): Promise<void> {
    const { name, log, onSwap } = this.#parts
    try {
      this.#inputs = null
      const compiled = await compileSaved(this.#parts)
      signal.throwIfAborted()
      this.#inputs = new Set(compiled.inputs)
      const isOutdated = this.inForce === null && (await this.#stored.isNewerThan(compiled.hash))
      if (isOutdated) await this.#follow()
      else if (compiled.hash !== this.inForce?.version) await this.#put(compiled, sourceText, signal)
      else if (this.#saved === 'own') await this.resume()
      this.#problem = null
    } catch (error) {
      // A newer save has the last word; what the store did not take is looked at again.
      if (signal.aborted) return
      if (isAway(error)) throw error
      const problem = this.#blame(error)
      if (this.inForce === null) await this.#fallBack()
      // What counts instead of its answers may be another.
      if (this.inForce === null) onSwap()
      const rest = this.inForce === null ? 'It is not served' : 'The version before stays in force'
      log.error({ script: name }, `${problemText(problem)}. ${rest}`)
    }
  }

  async #put(given: ScriptVersion, sourceText: string | null, signal: AbortSignal | null): Promise<void> {
    const version = { hash: given.hash, code: given.code, sourceMap: given.sourceMap }
    const commit = (next: ScriptInForce) => this.#stored.put(version, next)
    await this.#inForce.swap({ version, sourceText, signal, commit })
    this.#say()
  }

  /** Brings what is served in line with what the store says. */
  async #follow(): Promise<void> {
    const { name, store, log, onSwap } = this.#parts
    const { version: hash, state } = this.stored!
    if (state === 'parked') {
      if (this.inForce !== null) log.info({ script: name }, 'The script is gone, as another server saw')
      return this.#inForce.drop()
    }
    if (this.inForce?.version === hash) {
      this.#say()
      return onSwap()
    }
    try {
      const version = await store.scriptVersion(hash)
      if (version === null) throw new Error(`Version ${hash} is not known`)
      await this.#inForce.swap({ version, sourceText: null, signal: null, commit: async () => {} })
      this.#problem = null
      this.#say()
    } catch (error) {
      // What all others do not run any more is not run here either.
      this.#inForce.drop()
      log.error({ script: name }, `${problemText(this.#blame(error))}. It is not served by this server`)
    }
  }

  #say(): void {
    const facts = { script: this.#parts.name, version: this.inForce?.version }
    this.#parts.log.info(facts, `Script in force${this.#stored.isSuspended ? ', but suspended' : ''}`)
  }

  /** A broken file, and nothing in force: the version that the store has is served on. */
  async #fallBack(): Promise<void> {
    const { name, store, log } = this.#parts
    if (this.stored === null) return
    // Others may have put another one in force meanwhile.
    if (store.cluster !== null) return this.#follow()
    try {
      const version = await store.scriptVersion(this.stored.version)
      if (version !== null) await this.#put(version, null, null)
    } catch (error) {
      log.warn({ script: name, reason: messageOf(error) }, 'The version before is refused')
    }
  }

  async #park(): Promise<void> {
    this.#problem = null
    await this.#stored.park()
    this.#inForce.drop()
  }

  #blame(error: unknown): DatedProblem {
    this.#problem = { ...problemOf(error, this.#parts.name), atMs: this.#parts.now() }
    return this.#problem
  }
}
