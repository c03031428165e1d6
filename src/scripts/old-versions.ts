/**
 * Versions that are not in force, for deliveries that want to be run by them: loaded when one is wanted, and unloaded
 * when none was for a while.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Store } from '../store/store.ts'
import { bringUp, type MissingGrants, type ScriptInForce, takeDown } from './bring-up.ts'
import { refused } from './problem.ts'

const idleMs = 60_000

export interface OldVersionsParts {
  readonly store: Pick<Store, 'scriptVersion'>
  readonly runtime: Pick<Runtime, 'load' | 'unload'>
  readonly missingGrants: MissingGrants
  readonly log: Log
  /** Whether this version is the one in force: it is not ours to unload then. */
  readonly isInForce: (name: string, hash: string) => boolean
}

interface Loaded {
  readonly name: string
  readonly script: Promise<ScriptInForce>
  timer: NodeJS.Timeout
}

export class OldVersions implements Disposable {
  readonly #parts: OldVersionsParts
  readonly #loaded = new Map<string, Loaded>()

  constructor(parts: OldVersionsParts) {
    this.#parts = parts
  }

  /** @throws `script-refused` if it is not known or not fit to be served any more */
  get(name: string, hash: string): Promise<ScriptInForce> {
    const known = this.#loaded.get(hash)
    if (known !== undefined) {
      known.timer.refresh()
      return known.script
    }
    const script = this.#load(name, hash)
    const timer = setTimeout(() => this.#unload(hash), idleMs).unref()
    this.#loaded.set(hash, { name, script, timer })
    script.catch(() => {
      if (this.#loaded.get(hash)?.script === script) this.#forget(hash)
    })
    return script
  }

  /** Another version of the script is in force: what the library loads and unloads may be one of ours. */
  forgetAll(name: string): void {
    for (const [hash, loaded] of [...this.#loaded]) if (loaded.name === name) this.#unload(hash)
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#loaded.values()) clearTimeout(timer)
    this.#loaded.clear()
  }

  async #load(name: string, hash: string): Promise<ScriptInForce> {
    const { store, runtime, missingGrants } = this.#parts
    const version = await store.scriptVersion(hash)
    if (version === null) {
      throw refused({ message: `There is no version ${hash} any more`, file: name, line: null, column: null })
    }
    return bringUp(name, version, { runtime, missingGrants, sourceText: null })
  }

  #forget(hash: string): void {
    clearTimeout(this.#loaded.get(hash)?.timer)
    this.#loaded.delete(hash)
  }

  #unload(hash: string): void {
    const { runtime, log, isInForce } = this.#parts
    const name = this.#loaded.get(hash)?.name
    this.#forget(hash)
    if (name === undefined || isInForce(name, hash)) return
    takeDown(runtime, hash).catch((error: unknown) => {
      log.warn({ script: name, version: hash, reason: messageOf(error) }, 'A version could not be unloaded')
    })
  }
}
