/** A server that serves the scripts, the outside that they report to, and the history of what clients do to it. */
import type { CuttableLine } from '../support/cuttable-line.ts'
import type { OwnPostgres } from '../support/own-postgres.ts'
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
  /** Several servers on one database. */
  readonly cluster?: ClusterOptions | null
}

export interface ClusterOptions {
  readonly nodes: number
  /** postgres://… */
  readonly store: string
  /** To be stopped at once now and then; null: it is not ours. */
  readonly database: Pick<OwnPostgres, 'crash' | 'start'> | null
  /** To the database, one for each server; null: they reach it by the store's own address. */
  readonly lines: readonly CuttableLine[] | null
}

export interface Served extends AsyncDisposable {
  /** The first of them. */
  readonly server: TestServer
  readonly servers: readonly TestServer[]
  readonly database: Pick<OwnPostgres, 'crash' | 'start'> | null
  readonly lines: readonly CuttableLine[] | null
  readonly history: History
  /** Text of each script by its file. */
  readonly scripts: Readonly<Record<string, string>>
}

/** Resolves when the scripts are in force, so that they are told everything from the first change on. */
export async function startServed({ agesMs, cluster = null, ...options }: ServedOptions): Promise<Served> {
  await using parts = new AsyncDisposableStack()
  const receiver = parts.use(await startReceiver())
  const scripts = scriptTexts(receiver.url)
  const environment = { ...grantsFor(receiver.url), ONSTABLE_STABILITY: stabilityOf(agesMs) }
  const servers: TestServer[] = []
  for (let n = 0; n < (cluster?.nodes ?? 1); n++) {
    const own =
      cluster === null ? {} : { ONSTABLE_STORE: storeOf(cluster, n), ONSTABLE_NODE: `node-${n + 1}` }
    const server = parts.use(
      await startServer({ ...options, scripts, environment: { ...environment, ...own } }),
    )
    servers.push(server)
    await untilScriptsServe(server, Object.keys(scripts))
  }
  const { effects } = receiver
  const history: History = {
    ...{ agesMs, effects, hasOthers: cluster !== null },
    get lives() {
      return servers.flatMap(({ lives }) => lives)
    },
    ...{
      uploads: [],
      deletions: [],
      surprises: [],
      stops: [],
      outages: [],
      cuts: [],
      childEndsMs: [],
      troubles: [],
    },
  }
  const running = parts.move()
  const database = cluster?.database ?? null
  return {
    server: servers[0]!,
    servers,
    database,
    lines: cluster?.lines ?? null,
    history,
    scripts,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The store as one of the servers reaches it. */
function storeOf({ store, lines }: ClusterOptions, server: number): string {
  const line = lines?.[server]
  if (line === undefined) return store
  const url = new URL(store)
  url.hostname = line.host
  url.port = String(line.port)
  return url.href
}

function stabilityOf(agesMs: AgesMs): string {
  return JSON.stringify(
    Object.entries(agesMs).map(([level, ageMs]) => ({
      level: level.toLowerCase(),
      stableAge: ageMs / 1_000,
    })),
  )
}
