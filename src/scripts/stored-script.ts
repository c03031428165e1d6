/**
 * What the store has of a script: the version that was last in force, and whether it is served. Other servers may write
 * it, too; what they are known to have written before this one did counts no more.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ScriptState, ScriptVersion, Store } from '../store/store.ts'
import type { ScriptInForce } from './bring-up.ts'

export type StoredRow = Pick<ScriptState, 'version' | 'state' | 'subscriptions' | 'suspension'>

export type ScriptStore = Pick<
  Store,
  'putScript' | 'parkScript' | 'forgetScript' | 'suspendScript' | 'resumeScript' | 'scriptVersion' | 'cluster'
>

/** What came of forgetting a script, or why it cannot be forgotten. */
export type Forgotten = 'forgotten' | 'file-there' | 'not-parked' | 'never-in-force'

export interface StoredScriptParts {
  readonly name: string
  readonly store: ScriptStore
  readonly log: Log
  /** Null: the file is not there. */
  readonly content: (path: string) => Promise<object | null>
}

export class StoredScript {
  readonly #content: StoredScriptParts['content']
  readonly #name: string
  readonly #store: ScriptStore
  readonly #log: Log
  #row: StoredRow | null
  #writing = 0
  /** When the last write of this server ended, of `performance.now()`. */
  #wroteAt = Number.NEGATIVE_INFINITY

  constructor(parts: StoredScriptParts, row: StoredRow | null) {
    this.#content = parts.content
    this.#name = parts.name
    this.#store = parts.store
    this.#log = parts.log
    this.#row = row
  }

  get row(): StoredRow | null {
    return this.#row
  }
  get isSuspended(): boolean {
    return this.#row?.state === 'suspended'
  }

  /**
   * What the store said when it was asked.
   * @param askedAt of `performance.now()`
   * @returns whether another version is in force, or it is served otherwise
   */
  hear(row: StoredRow, askedAt: number): boolean {
    if (this.#writing > 0 || askedAt < this.#wroteAt) return false
    if (row.version === this.#row?.version && row.state === this.#row.state) return false
    this.#row = row
    return true
  }

  /** The store does not know it any more: another server has forgotten it. False: it was known to be so, or may not be. */
  hearGone(askedAt: number): boolean {
    if (this.#writing > 0 || askedAt < this.#wroteAt || this.#row === null) return false
    this.#row = null
    return true
  }

  /** At a start: whether servers that share the store have put this version in force before, and then another one. */
  async isNewerThan(hash: string): Promise<boolean> {
    if (this.#store.cluster === null || this.#row === null || this.#row.version === hash) return false
    if ((await this.#store.scriptVersion(hash)) === null) return false
    const facts = { script: this.#name, version: this.#row.version }
    this.#log.warn(facts, 'The file is older than what all servers agreed on: save it to put it in force')
    return true
  }

  /** One that is suspended stays so. */
  async put(version: ScriptVersion, { subscriptions, manifest }: ScriptInForce): Promise<void> {
    const { hash } = version
    const { everyMs, concurrency } = manifest
    await this.#write(() => this.#store.putScript(this.#name, version, subscriptions, everyMs, concurrency))
    const isSuspended = this.isSuspended && this.#row?.version === hash
    const suspension = isSuspended ? this.#row!.suspension : null
    this.#row = { version: hash, state: isSuspended ? 'suspended' : 'active', subscriptions, suspension }
  }

  async park(): Promise<void> {
    if (this.#row === null || this.#row.state === 'parked') return
    await this.#write(() => this.#store.parkScript(this.#name))
    this.#row = { ...this.#row, state: 'parked', suspension: null }
    const what = 'The script is gone: what it is owed waits for it to come back, or to be forgotten'
    this.#log.info({ script: this.#name }, what)
  }

  async forget(): Promise<Forgotten> {
    if (this.#row === null) return 'never-in-force'
    const isParked = this.#row.state === 'parked'
    if (isParked && (await this.#write(() => this.#store.forgetScript(this.#name)))) {
      this.#row = null
      return 'forgotten'
    }
    return (await this.#content(this.#name)) === null ? 'not-parked' : 'file-there'
  }

  /** Counts at once, whether or not the store takes it. Never rejects. */
  async suspend(reason: string, atMs: number): Promise<void> {
    const row = this.#row!
    this.#row = { ...row, state: 'suspended', suspension: { reason, atMs } }
    try {
      await this.#write(() => this.#store.suspendScript(this.#name, row.version, reason))
    } catch (error) {
      this.#log.error({ script: this.#name, reason: messageOf(error) }, 'The suspension could not be stored')
    }
  }

  async resume(): Promise<void> {
    await this.#write(() => this.#store.resumeScript(this.#name))
    this.#row = { ...this.#row!, state: 'active', suspension: null }
  }

  async #write<Result>(write: () => Promise<Result>): Promise<Result> {
    this.#writing++
    try {
      return await write()
    } finally {
      this.#writing--
      this.#wroteAt = performance.now()
    }
  }
}
