/** The store, the runtime and the dispatch of the server, in this process, with scripts that are given as text. */
import { createTell, openPauses, startDispatch } from '../src/dispatch/dispatch.ts'
import { createHost } from '../src/host/host.ts'
import { createLog } from '../src/log.ts'
import { startRuntime } from '../src/runtime/runtime.ts'
import {
  type CallbackName,
  type Manifest,
  type ScriptInForce,
  subscriptionsOf,
} from '../src/scripts/scripts.ts'
import { type Lease, openSqlite, type Settlement, type Store } from '../src/store/store.ts'
import { makeProgram } from '../test/support/program.ts'
import { makeFolder } from './server-process.ts'

export interface DispatchStage extends AsyncDisposable {
  readonly store: Store
  /** Something was recorded. */
  wake(): void
  pause(script: string | null): Promise<unknown>
  resume(script: string | null): Promise<unknown>
}

export interface StageScript {
  readonly name: string
  readonly callback: CallbackName
  readonly body: string
  readonly timeoutMs?: number
  readonly attempts?: number
}

export interface StageOptions {
  readonly scripts: readonly StageScript[]
  /** A run has ended. */
  onEnd(lease: Lease, settlement: Settlement): void
}

export async function startStage({ scripts, onEnd }: StageOptions): Promise<DispatchStage> {
  await using starting = new AsyncDisposableStack()
  const log = createLog('silent')
  const store = starting.use(await openSqlite({ folder: makeFolder('dispatch') }))
  const runtime = starting.use(await startRuntime({ log }))
  const inForce = new Map<string, ScriptInForce>()
  for (const { name, callback, body, timeoutMs = 30_000, attempts = 8 } of scripts) {
    const source = `export async function ${callback}(event, host) { ${body} }`
    const program = { ...makeProgram(source), limits: { timeoutMs, cpuMs: timeoutMs, memoryMb: 64 } }
    await runtime.load(program)
    const subscriptions = subscriptionsOf([callback])
    const version = { hash: program.version, code: program.code, sourceMap: program.sourceMap }
    await store.putScript(name, version, subscriptions)
    const manifest = manifestOf(timeoutMs, attempts)
    inForce.set(name, { name, version: program.version, manifest, callbacks: [callback], subscriptions })
  }
  const host = starting.use(
    createHost({
      settings: { grants: {}, modalities: {} },
      store,
      get: async () => ({ status: 200, contentType: 'application/json', body: '{}' }),
      send: async () => ({ sent: 0 }),
      log,
    }),
  )
  const tell = createTell({
    scriptNamed: (name) => inForce.get(name),
    scriptVersion: async (name) => inForce.get(name),
    onEffects: () => {},
    runtime,
    host,
    log,
    reach: () => {},
    random: Math.random,
  })
  const pauses = await openPauses(store, () => dispatch.onPause())
  const dispatch = starting.use(
    startDispatch({
      store,
      scriptNames: () => [...inForce.keys()],
      versionOf: (name) => inForce.get(name)?.version ?? null,
      concurrencyOf: () => 1,
      isPaused: pauses.isPaused,
      tell: async (lease, turn) => {
        const settlement = await tell(lease, turn)
        if (settlement !== null) onEnd(lease, settlement)
        return settlement
      },
      recall: (script) => runtime.recall(script),
      log,
    }),
  )
  const started = starting.move()
  return {
    store,
    wake: () => dispatch.wake(),
    pause: (script) => pauses.pause(script),
    resume: (script) => pauses.unpause(script),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

function manifestOf(timeoutMs: number, attempts: number): Manifest {
  return {
    needs: { send: [], http: [] },
    retry: { attempts, backoff: 'exponential', delayMs: 100, maxAgeMs: null },
    key: 'study',
    late: 'rerun',
    ask: { timeoutMs: 100, onFailure: 'accept' },
    everyMs: null,
    timeoutMs,
    cpuMs: timeoutMs,
    memoryMb: 64,
    concurrency: 1,
    isolation: 'shared',
  }
}
