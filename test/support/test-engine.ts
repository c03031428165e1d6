/** The whole engine in this process, on free ports of the loopback, with its folders in a temporary one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSettings } from '../../src/config.ts'
import { startEngine } from '../../src/engine.ts'
import { temporaryFolder } from './folders.ts'
import { keptLog, type LogLine } from './kept-log.ts'
import { storedFiles } from './test-storage.ts'

export interface TestEngine extends AsyncDisposable {
  readonly url: string
  readonly httpPort: number
  readonly dicomPort: number
  readonly data: string
  readonly scripts: string
  readonly lines: readonly LogLine[]
  /** GET, parsed. */
  read<T = unknown>(path: string): Promise<T>
  /** POST /instances. */
  post(body: Buffer): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }>
  /** Names of the stored files that are on disk now. */
  files(): string[]
}

interface Options {
  /** By name. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Text of each file of the scripts folder, by name. */
  readonly scripts?: Readonly<Record<string, string>>
  /** An existing folder to keep the data in. */
  readonly data?: string
}

export async function startTestEngine({
  settings = {},
  scripts = {},
  data,
}: Options = {}): Promise<TestEngine> {
  await using starting = new AsyncDisposableStack()
  const folder = starting.use(temporaryFolder())
  const folders = { data: data ?? join(folder.path, 'data'), scripts: join(folder.path, 'scripts') }
  mkdirSync(folders.scripts)
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folders.scripts, name), text)
  const { log, lines } = keptLog()
  const given = { ...folders, httpPort: 0, dicomPort: 0, stableAge: 3_600, ...settings }
  const engine = starting.use(await startEngine(readSettings(given, {}, null), log))
  const started = starting.move()
  return {
    url: engine.url,
    httpPort: Number(new URL(engine.url).port),
    dicomPort: engine.dicomPort,
    data: folders.data,
    scripts: folders.scripts,
    lines,
    async read<T>(path: string) {
      return (await (await fetch(engine.url + path)).json()) as T
    },
    async post(body) {
      const response = await fetch(`${engine.url}/instances`, { method: 'POST', body: new Uint8Array(body) })
      return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
    },
    files: () => storedFiles(join(folders.data, 'files')),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
