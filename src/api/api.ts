/**
 * The REST interface: resources, changes and uploads in Orthanc's format, and what is our own beside it.
 * Door of the folder.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Bridge } from '../bridge/bridge.ts'
import type { Settings } from '../config.ts'
import type { Level, ParentLevel } from '../dicom/dicom.ts'
import type { Pauses, Unanswered, Verdict } from '../dispatch/dispatch.ts'
import type { ReachPoint } from '../lib/crash-point.ts'
import type { Log } from '../log.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Forgotten, ScriptStatus } from '../scripts/scripts.ts'
import type { Origin, Removed, Store } from '../store/store.ts'

export { startApi } from './server.ts'

/** All that the REST interface needs of the other stages. */
export interface ApiParts {
  readonly settings: Settings
  readonly store: Store
  readonly log: Log
  readonly reach: ReachPoint
  /** Takes in the body of `POST /instances`; throws what the sender is to be told. */
  upload(body: readonly Buffer[], headers: IncomingHttpHeaders, origin: Origin): Promise<ApiAnswer>
  /** Opens a stored DICOM file by the name that the index has for it. */
  openFile(file: string): Promise<Readable>
  /** Deletes a resource with its files. Null: no such resource. */
  remove(level: Level, id: string): Promise<Removed | null>
  /** Makes a resource stable now. False: it was already. */
  settle(level: ParentLevel, id: string): Promise<boolean>
  /** Makes a resource wait again from now. False: there is none. */
  unsettle(level: ParentLevel, id: string): Promise<boolean>
  scripts(): readonly (ScriptStatus & { readonly paused: boolean })[]
  /** What a version of a script was asked and did not answer. */
  unanswered(version: string | null): readonly Unanswered[]
  /** Serves a suspended or paused script again. False: it was neither. Null: there is no such script. */
  resumeScript(name: string): Promise<boolean | null>
  /** Of a script whose file is gone. */
  forgetScript(name: string): Promise<Forgotten>
  /** A run, by its idempotency key, asks for something by which it may be woken. */
  onOwnCommand(idempotencyKey: string): void
  readonly pauses: Pauses
  readonly nodes: Nodes
  /** Null: no message broker is set. */
  readonly bridge: Bridge | null
  /** Resolves when no run of a paused script is in hand any more; null: of any that is paused. */
  drained(script: string | null): Promise<void>
  /** Whether scripts are asked about requests, and what they say of one. */
  readonly requestQuestion: {
    isAsked(): boolean
    ask(
      facts: object,
      subject: Readonly<Record<string, string>>,
    ): Promise<Pick<Verdict, 'accepted' | 'isAnswer' | 'script'>>
  }
  /** Something may be told now that could not before. */
  onOwed(): void
}

export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
}

export interface InsideAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface Api extends AsyncDisposable {
  readonly port: number
  readonly address: string
  /** What a GET of this path would answer, without the network. The body is empty if it is not JSON. */
  get(path: string): Promise<InsideAnswer>
  /** Stops accepting, lets the requests in flight end, and cuts off what takes too long. */
  close(): Promise<void>
}
