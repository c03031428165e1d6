/** The version of a script that is in force in this server: another one takes its place whole, or not at all. */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ScriptVersion } from '../store/store.ts'
import { bringUp, type MissingGrants, type ScriptInForce, takeDown } from './bring-up.ts'

export interface InForceParts {
  readonly name: string
  readonly runtime: Pick<Runtime, 'load' | 'unload'>
  readonly missingGrants: MissingGrants
  readonly log: Log
  /** Another version is in force, or none. */
  readonly onSwap: () => void
}

export interface Swap {
  readonly version: ScriptVersion
  /** Text of the file, where mistakes are shown; null: there is none. */
  readonly sourceText: string | null
  /** Aborted when a newer save waits; null: nothing ends it. */
  readonly signal: AbortSignal | null
  /** Called when it is loaded, and before it is in force; what it throws ends the swap. */
  readonly commit: (next: ScriptInForce) => Promise<void>
}

export class InForce {
  readonly #parts: InForceParts
  #current: ScriptInForce | null = null
  #inspected: ScriptInForce | null = null

  constructor(parts: InForceParts) {
    this.#parts = parts
  }

  get current(): ScriptInForce | null {
    return this.#current
  }
  /** The version in force, or one that would be if it were given what it needs: what counts when it cannot be asked. */
  get known(): ScriptInForce | null {
    return this.#current ?? this.#inspected
  }

  /** @throws `script-refused`, or what `commit` threw; what was in force still is then */
  async swap({ version, sourceText, signal, commit }: Swap): Promise<void> {
    const { name, runtime, onSwap } = this.#parts
    const next = await bringUp(name, version, {
      ...this.#parts,
      sourceText,
      onInspected: (script) => {
        this.#inspected = script
      },
      ...(signal === null ? {} : { signal }),
    })
    try {
      await commit(next)
    } catch (error) {
      await takeDown(runtime, version.hash)
      throw error
    }
    const before = this.#current
    this.#current = next
    onSwap()
    if (before !== null && before.version !== version.hash) this.#unload(before.version)
  }

  /** Nothing is in force any more. */
  drop(): void {
    const { known, current } = this
    this.#inspected = null
    this.#current = null
    // What was never in force may have counted where it would be asked.
    if (known !== null) this.#parts.onSwap()
    if (current !== null) this.#unload(current.version)
  }

  /** Runs in flight end on the version that they began with, and nobody waits for them. */
  #unload(version: string): void {
    const { name, runtime, log } = this.#parts
    takeDown(runtime, version).catch((error: unknown) => {
      log.warn({ script: name, version, reason: messageOf(error) }, 'A version could not be unloaded')
    })
  }
}
