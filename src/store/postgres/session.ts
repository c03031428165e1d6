/** What every operation needs. */
import type { Connections } from './connections.ts'

export interface Session {
  readonly connections: Connections
  readonly epoch: string
  /** The name under which this process leases deliveries. */
  readonly node: string
  /** Milliseconds; null: the clock of the database, which all nodes share. */
  nowMs(): number | null
}
