/**
 * Starts the runtime: chooses the walls, starts the first child behind them, and says which of them stand.
 */
import type { Log } from '../log.ts'
import { childCode } from './child-code.ts'
import type { Death } from './child-process.ts'
import { Children } from './children.ts'
import type { Runtime, Suspension } from './runtime.ts'
import { neededFiles, type SpawnChild, spawnBehind } from './spawn.ts'
import { describeWalls } from './standing-walls.ts'
import { Supervisor } from './supervisor.ts'
import { chooseWalls } from './walls.ts'

export interface RuntimeOptions {
  readonly log: Log
  /** How often a child says that it is alive. Default 1 s. */
  readonly heartbeatMs?: number
  /** How long after its time limit a run may end by itself, before its process is killed. Default 1 s. */
  readonly graceMs?: number
  /** Resident memory at which a child is killed. Default 1,536. */
  readonly maxChildMemoryMb?: number
  /** How long a child may take until it is ready. Default 15 s. */
  readonly startMs?: number
  /** A version must not be served any more: it ends its process again and again. */
  readonly onSuspend?: (suspension: Suspension) => void
  readonly onChildDeath?: (death: Death) => void
  /** What starts a child. Default: the real one, behind the walls that this machine allows. */
  readonly spawn?: SpawnChild
}

/** Starts the runtime with a first child. Throws when a child cannot be started. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log, heartbeatMs = 1_000, graceMs = 1_000, maxChildMemoryMb = 1_536, startMs = 15_000 } = options
  const walls = await chooseWalls(neededFiles())
  const code = await childCode()
  const spawn = options.spawn ?? ((beatMs, priority) => spawnBehind(code, walls.command, beatMs, priority))
  const children = await Children.start(
    { log, spawn, heartbeatMs, graceMs, maxChildMemoryMb, startMs },
    (death) => {
      log.warn({ ...death }, 'A child process of the sandbox died; its spare took over')
      options.onChildDeath?.(death)
    },
  )
  const { text, isWhole } = describeWalls((await children.current).pid, walls, maxChildMemoryMb)
  log[isWhole ? 'info' : 'warn'](text)
  return new Supervisor({ children, log, onSuspend: options.onSuspend ?? (() => {}) })
}
