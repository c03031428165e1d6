/** The servers that share the database. */
import { standingOf } from '../script-rows.ts'
import type { Cluster, ClusterState, NodeRow } from '../store.ts'
import type { Presence } from './presence.ts'
import type { Session } from './session.ts'

type ScriptFacts = Parameters<typeof standingOf>[0] & { readonly version: string }

export function clusterOn(session: Session, presence: Presence): Cluster {
  const { connections, node, nowMs } = session
  return {
    node,
    async beat(): Promise<ClusterState> {
      const [state] = await connections.rows<{
        now: number
        is_draining: boolean | null
        scripts: readonly ScriptFacts[]
        paused_all_at: number | null
      }>('select * from beat_node($1, $2)', [nowMs(), node])
      const { now, is_draining, scripts, paused_all_at } = state!
      return {
        nowMs: now,
        isDraining: is_draining === true,
        scripts: scripts.map((row) => ({ ...standingOf(row), version: row.version })),
        pausedAllAtMs: paused_all_at,
      }
    },
    nodes: () =>
      connections.rows<NodeRow>(
        `select name, version, started_at as "startedAtMs", seen_at as "seenAtMs", is_draining as "isDraining",
           (select count(*) from delivery d where d.state = 1 and d.node = n.name) as leased
         from node n order by name collate "C"`,
      ),
    setDraining: (name, isDraining) => connections.value('set_draining', name, isDraining),
    onHint: (listener) => presence.onHint(listener),
  }
}
