/** What every server that is measured can do, whichever it is. */
import type { Receiver } from './clients.ts'
import type { LineListener } from './server-process.ts'

export type Side = 'OnStable' | 'Orthanc'

export interface ServerOptions {
  readonly stableAgeSeconds: number
  /** At which counts of stored instances `drained` will be asked for. */
  readonly milestones: readonly number[]
  readonly onLine?: LineListener
  /** A data folder that is there already. Default: an empty one. OnStable only. */
  readonly data?: string
  /** File names to code. Default: one that counts instances and says which study is stable. OnStable only. */
  readonly scripts?: Readonly<Record<string, string>>
  /** Default true: with callbacks, which count instances and say which study is stable. */
  readonly hasCallbacks?: boolean
  /** Its callback says in the log which instance it is told of. OnStable only. */
  readonly saysEach?: boolean
  /** A PostgreSQL for its index: postgres://… */
  readonly database?: string
  /** One of several that share it: its name, and the folder of their files. */
  readonly node?: { readonly name: string; readonly data: string }
  /** Where strace writes the system calls that make data durable; none without it. */
  readonly traceFile?: string
}

export interface Server extends Receiver, AsyncDisposable {
  readonly side: Side
  readonly version: string
  readonly pid: number
  /** Where its database and files are. */
  readonly folder: string
  /**
   * Waits until so many instances are held and the callback has run for each; says when that was, in
   * `performance.now()`. Throws if one was lost or its callback failed.
   */
  drained(instances: number): Promise<number>
  /**
   * Puts another version of its callbacks in force, as an administrator would: by saving the file, and starting the
   * server anew where that is needed. @returns when it was in force, in `performance.now()`
   */
  reload(version: number): Promise<number>
}
