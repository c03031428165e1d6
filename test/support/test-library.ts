/** A library of scripts over a real store and a real runtime, in a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Settings } from '../../src/config.ts'
import { missingGrants } from '../../src/host/host.ts'
import { createLog } from '../../src/log.ts'
import { type RunResult, type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { type Library, openLibrary } from '../../src/scripts/scripts.ts'
import { openSqlite, type Store } from '../../src/store/store.ts'

export interface TestLibrary extends AsyncDisposable {
  readonly folder: string
  readonly store: Store
  readonly runtime: Runtime
  readonly library: Library
  /** Writes files of the folder, by their paths. */
  save(files: Readonly<Record<string, string>>): void
  /** Runs a callback of the version in force. */
  run(script: string, callback: string): Promise<RunResult>
  /** What a run of the version in force logs. */
  logsOf(script: string, callback?: string): Promise<string[]>
  /** Closes the library, the runtime and the store, and opens them again. */
  restart(): Promise<void>
}

interface Options {
  readonly files?: Readonly<Record<string, string>>
  readonly grants?: Settings['grants']
}

/** Of each that is granted to somebody. */
function modalitiesOf(grants: Settings['grants']): Settings['modalities'] {
  const names = Object.values(grants).flatMap(({ send }) => send)
  return Object.fromEntries(names.map((name) => [name, { aet: name, host: '127.0.0.1', port: 1 }]))
}

const typingsFolder = fileURLToPath(new URL('../../sandbox/', import.meta.url))
const log = createLog('silent')

export async function openTestLibrary({ files = {}, grants = {} }: Options = {}): Promise<TestLibrary> {
  const root = mkdtempSync(join(tmpdir(), 'onstable-library-'))
  const folder = join(root, 'scripts')
  const data = join(root, 'data')
  mkdirSync(data)
  const save: TestLibrary['save'] = (saved) => {
    for (const [path, text] of Object.entries(saved)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }
  save(files)
  const open = async () => {
    const store = await openSqlite({ folder: data, crashAt: null })
    const runtime = await startRuntime({ log })
    const missing = (script: string, needs: Parameters<typeof missingGrants>[2]) =>
      missingGrants({ grants, modalities: modalitiesOf(grants) }, script, needs)
    const library = await openLibrary({ folder, store, runtime, missingGrants: missing, log, typingsFolder })
    return { store, runtime, library }
  }
  let parts = await open()
  const close = async () => {
    await parts.library.close()
    await parts.runtime.close()
    await parts.store.close()
  }
  const run: TestLibrary['run'] = (script, callback) => {
    const version = parts.library.get(script)?.version
    if (version === undefined) throw new Error(`Script "${script}" is not served`)
    const answer = async () => ({ ok: true, value: 'null' }) as const
    return parts.runtime.run({ version, callback, event: '{"level":"Study","id":"1"}', answer })
  }
  return {
    folder,
    get store() {
      return parts.store
    },
    get runtime() {
      return parts.runtime
    },
    get library() {
      return parts.library
    },
    save,
    run,
    async logsOf(script, callback = 'onStableStudy') {
      const { logs, error } = await run(script, callback)
      if (error !== null) throw new Error(error.message)
      return logs.map(({ text }) => text)
    },
    async restart() {
      await close()
      parts = await open()
    },
    async [Symbol.asyncDispose]() {
      await close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
