/** A server that serves the scripts, the outside that they report to, and the history of what clients do to it. */
import { startServer, type TestServer } from '../support/server.ts'
import { untilScriptsServe } from './client.ts'
import type { AgesMs, History } from './history.ts'
import { startReceiver } from './receiver.ts'
import { grantsFor, scriptTexts } from './scripts.ts'

export interface ServedOptions {
  readonly agesMs: AgesMs
  readonly crashAt?: string
  /** An existing data folder, which is then not removed at the end. */
  readonly data?: string
  /** Another engine than that of the project. */
  readonly main?: string
}

export interface Served extends AsyncDisposable {
  readonly server: TestServer
  readonly history: History
  /** Text of each script by its file. */
  readonly scripts: Readonly<Record<string, string>>
}

/** Resolves when the scripts are in force, so that they are told everything from the first change on. */
export async function startServed({ agesMs, ...options }: ServedOptions): Promise<Served> {
  await using parts = new AsyncDisposableStack()
  const receiver = parts.use(await startReceiver())
  const scripts = scriptTexts(receiver.url)
  const server = parts.use(
    await startServer({
      ...options,
      scripts,
      environment: { ...grantsFor(receiver.url), ONSTABLE_STABILITY: stabilityOf(agesMs) },
    }),
  )
  await untilScriptsServe(server, Object.keys(scripts))
  const { effects } = receiver
  const history: History = {
    ...{ agesMs, effects, lives: server.lives },
    ...{ uploads: [], deletions: [], surprises: [], stops: [], childEndsMs: [], troubles: [] },
  }
  const running = parts.move()
  return { server, history, scripts, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

function stabilityOf(agesMs: AgesMs): string {
  return JSON.stringify(
    Object.entries(agesMs).map(([level, ageMs]) => ({
      level: level.toLowerCase(),
      stableAge: ageMs / 1_000,
    })),
  )
}
