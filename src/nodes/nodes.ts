/**
 * The servers that share a store: who is there, which of them is draining, and what the others have done that this one
 * has to know. Door of the folder.
 */
import type { Log } from '../log.ts'
import type { ClusterState, NodeRow, Store } from '../store/store.ts'
import { alone } from './alone.ts'
import { amongOthers } from './among-others.ts'

export interface NodesParts {
  readonly store: Pick<Store, 'cluster' | 'backlog'>
  readonly log: Log
  /** The name of this server. */
  readonly node: string
  /** Changes of the log have numbers that had none before. */
  readonly onLog: () => void
  /**
   * What counts for all; told again and again.
   * @param askedAt when the store was asked, of `performance.now()`
   */
  readonly onState: (state: ClusterState, askedAt: number) => void
  /** This server is to take in and run nothing more, or is to go on. */
  readonly onDraining: (isDraining: boolean) => void
}

export interface Nodes extends AsyncDisposable {
  readonly node: string
  list(): Promise<readonly NodeRow[]>
  /** Whether this server takes in and runs nothing more. */
  isDraining(): boolean
  /** Null: there is no such server. False: it was so already. */
  setDraining(node: string, isDraining: boolean): Promise<boolean | null>
}

export function startNodes(parts: NodesParts): Promise<Nodes> {
  const { cluster } = parts.store
  return cluster === null ? alone(parts) : amongOthers(parts, cluster)
}
