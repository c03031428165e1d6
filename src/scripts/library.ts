/**
 * The scripts of the folder: each in the version that is in force, kept in line with the files.
 */
import { existsSync, realpathSync } from 'node:fs'
import { fault, messageOf } from '../errors.ts'
import { makeFoldersNow } from '../lib/make-folders.ts'
import type { Log } from '../log.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ScriptState, Store } from '../store/store.ts'
import type { AskedScript, MissingGrants, ScriptInForce } from './bring-up.ts'
import { restCompiler } from './build.ts'
import type { AskName } from './callbacks.ts'
import { OldVersions } from './old-versions.ts'
import { ServedScript } from './served-script.ts'
import { isScript } from './source.ts'
import { type ScriptStatus, statusOf } from './status.ts'
import type { Forgotten, ScriptStore, StoredRow } from './stored-script.ts'
import { writeTypings } from './typings.ts'
import { WatchedFolder } from './watch.ts'

export interface LibraryParts {
  readonly folder: string
  readonly store: ScriptStore & Pick<Store, 'scripts'>
  readonly runtime: Pick<Runtime, 'load' | 'unload'>
  readonly missingGrants: MissingGrants
  readonly log: Log
  /** The typings that authors see, to be copied into the folder. */
  readonly typingsFolder: string
  readonly now?: () => number
}

const sayMs = 3_000
/** While nothing is saved for so long, the compiler and its 16 MB are not kept. */
const compilerRestMs = 20_000

/** @throws `bad-setting` when the folder cannot be made; a script that is wrong is no reason */
export async function openLibrary(parts: LibraryParts): Promise<Library> {
  const library = new Library({ ...parts, folder: makeFolder(parts.folder, parts.log) })
  await library.start()
  return library
}

function makeFolder(folder: string, log: Log): string {
  try {
    // A folder that is misspelt is a server without scripts.
    if (!existsSync(folder)) log.warn({ folder }, 'The scripts folder was not there: an empty one is made')
    makeFoldersNow(folder)
    return realpathSync(folder)
  } catch (cause) {
    throw fault(
      'bad-setting',
      `The scripts folder "${folder}" cannot be made: ${messageOf(cause)}; choose another with --scripts`,
      { cause },
    )
  }
}

export class Library implements AsyncDisposable {
  readonly #parts: LibraryParts
  readonly #scripts = new Map<string, ServedScript>()
  readonly #listeners = new Set<(name: string) => void>()
  readonly #refreshing = new Set<Promise<void>>()
  #rows: ReadonlyMap<string, StoredRow> = new Map()
  #folder: WatchedFolder | null = null
  readonly #oldVersions: OldVersions
  #rest: NodeJS.Timeout | null = null

  constructor(parts: LibraryParts) {
    this.#parts = parts
    this.#oldVersions = new OldVersions({
      ...parts,
      isInForce: (name, hash) => this.#scripts.get(name)?.inForce?.version === hash,
    })
  }

  /** Resolves when every script has been brought into force or refused. */
  async start(): Promise<void> {
    const { folder, typingsFolder, store, log } = this.#parts
    try {
      writeTypings(folder, typingsFolder)
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'The typings for script authors could not be written')
    }
    this.#rows = new Map(
      (await store.scripts()).map((row) => [row.name, { ...row, version: row.version.hash }]),
    )
    const changed = new Set(this.#rows.keys())
    let onChange = (path: string): void => {
      changed.add(path)
    }
    this.#folder = await WatchedFolder.open({
      folder,
      onChange: (path) => onChange(path),
      onSavedAgain: (path) => this.#onSavedAgain(path),
      onError: (error) => log.error({ reason: messageOf(error) }, 'The scripts folder cannot be watched'),
    })
    onChange = (path) => this.#onSaved(path)
    for (const path of changed) this.#onSaved(path)
    await this.#loaded()
  }

  /** Says from time to time what is waited for; each load has a bound, but there may be many. */
  async #loaded(): Promise<void> {
    const { log } = this.#parts
    const saying = setInterval(() => {
      const scripts = [...this.#scripts].flatMap(([name, script]) => (script.isRefreshing ? [name] : []))
      log.warn({ scripts }, 'Still loading scripts; nothing is taken in before')
    }, sayMs)
    try {
      await Promise.all(this.#refreshing)
    } finally {
      clearInterval(saying)
    }
  }

  /** The version of a script that is served. */
  get(name: string): ScriptInForce | undefined {
    return this.#scripts.get(name)?.served ?? undefined
  }

  /**
   * A certain version of a script, in force or not. Undefined: the script is not served.
   * @throws `script-refused`
   */
  async version(name: string, hash: string): Promise<ScriptInForce | undefined> {
    const served = this.get(name)
    if (served === undefined || served.version === hash) return served
    return this.#oldVersions.get(name, hash)
  }

  /**
   * The scripts that answer a question; one that is suspended, or refused for what it is not granted, does not, but says
   * what counts then.
   */
  asked(callback: AskName): AskedScript[] {
    return [...this.#scripts.values()].flatMap(({ known, inForce, served }) => {
      if (!known?.callbacks.includes(callback)) return []
      const silence = served !== null ? null : inForce === null ? 'refused' : 'suspended'
      return [{ script: known, silence }]
    })
  }

  /** Names of the scripts that are served, in their order. */
  names(): string[] {
    return [...this.#scripts].flatMap(([name, script]) => (script.served === null ? [] : [name])).sort()
  }

  /** Serves a version of a script no more, until the script is saved or resumed. */
  async suspend(name: string, version: string, reason: string): Promise<void> {
    await this.#scripts.get(name)?.suspend(version, reason)
  }

  /** @returns false if it was not suspended; null: there is no such script */
  async resume(name: string): Promise<boolean | null> {
    return (await this.#scripts.get(name)?.resume()) ?? null
  }

  /** Of a script that `list` knows. */
  async forget(name: string): Promise<Forgotten> {
    return (await this.#scripts.get(name)?.forget()) ?? 'never-in-force'
  }

  /**
   * What other servers have put in force, suspended, resumed, seen go or forgotten.
   * @param askedAt when the store was asked, of `performance.now()`
   */
  agree(scripts: readonly ScriptState[], askedAt: number): void {
    if (this.#folder === null) return
    const known = new Set(scripts.map(({ name }) => name))
    for (const [name, script] of this.#scripts) if (!known.has(name)) this.#track(script.hearGone(askedAt))
    for (const row of scripts) {
      const script = this.#scripts.get(row.name) ?? this.#script(row.name)
      this.#scripts.set(row.name, script)
      this.#track(script.agree(row, askedAt))
    }
  }

  list(): ScriptStatus[] {
    return [...this.#scripts]
      .filter(([, script]) => script.inForce !== null || script.problem !== null || script.stored !== null)
      .map(([name, script]) => statusOf(name, script))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** Tells of every script of which another version, or none, is in force. Call what it returns to end that. */
  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends when no script is being loaded any more; what is in force stays loaded in the runtime. */
  async close(): Promise<void> {
    await this.#folder?.close()
    this.#oldVersions[Symbol.dispose]()
    for (const script of this.#scripts.values()) script.close()
    await Promise.all(this.#refreshing)
    if (this.#rest !== null) clearTimeout(this.#rest)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #onSaved(path: string): void {
    if (isScript(path) && !this.#scripts.has(path)) this.#scripts.set(path, this.#script(path))
    for (const [name, script] of this.#scripts) {
      if (name === path) this.#refresh(script, 'own')
      else if (script.isMadeOf(path)) this.#refresh(script, 'any')
    }
  }

  #onSavedAgain(path: string): void {
    const resuming = this.#scripts.get(path)?.resume()
    resuming?.catch((error: unknown) => {
      this.#parts.log.error({ script: path, reason: messageOf(error) }, 'The script could not be resumed')
    })
  }

  #refresh(script: ServedScript, saved?: 'own' | 'any'): void {
    this.#track(script.refresh(saved))
  }

  #track(work: Promise<void>): void {
    if (this.#rest !== null) clearTimeout(this.#rest)
    const refreshing: Promise<void> = work.finally(() => {
      this.#refreshing.delete(refreshing)
      if (this.#refreshing.size === 0) this.#rest = setTimeout(restCompiler, compilerRestMs).unref()
    })
    this.#refreshing.add(refreshing)
  }

  #script(name: string): ServedScript {
    const parts = {
      ...this.#parts,
      name,
      now: this.#parts.now ?? Date.now,
      content: (path: string) => this.#folder!.content(path),
      onSwap: () => {
        this.#oldVersions.forgetAll(name)
        for (const listener of this.#listeners) listener(name)
      },
    }
    return new ServedScript(parts, this.#rows.get(name) ?? null)
  }
}
