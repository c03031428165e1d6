/** What a store tells of the servers that share it: who they are, and which versions of scripts they agree on. */
import type { ScriptRow } from './delivery.ts'

/** One server, as the others see it. */
export interface NodeRow {
  readonly name: string
  readonly version: string
  readonly startedAtMs: number
  /** When it was last heard of. */
  readonly seenAtMs: number
  /** It is to take in and to run nothing more. */
  readonly isDraining: boolean
  /** Deliveries that it has in hand. */
  readonly leased: number
}

/** A script without its code. */
export type ScriptState = Omit<ScriptRow, 'version' | 'cursor'> & { readonly version: string }

/** What one server has to know of the others' doing. */
export interface ClusterState {
  readonly nowMs: number
  readonly isDraining: boolean
  readonly scripts: readonly ScriptState[]
  /** Since when nothing at all is handed out; null: it is. */
  readonly pausedAllAtMs: number | null
}

/** What may be new: changes in the log, or anything of the `ClusterState`. */
export type Hint = 'log' | 'state'

export interface Cluster {
  /** Of this server. */
  readonly node: string
  /** Says that this server is there, and hears what it has to know. */
  beat(): Promise<ClusterState>
  nodes(): Promise<readonly NodeRow[]>
  /** Null: there is no such server. False: it was so already. */
  setDraining(node: string, isDraining: boolean): Promise<boolean | null>
  /** Others have done something; what is not told is found out by asking from time to time. */
  onHint(listener: (hint: Hint) => void): void
}
