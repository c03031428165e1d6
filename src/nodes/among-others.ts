/**
 * A server among others: it says every second that it is there, and hears what they have done. A hint makes it ask at
 * once; without any it asks all the same.
 */
import { messageOf } from '../errors.ts'
import type { Cluster } from '../store/store.ts'
import type { Nodes, NodesParts } from './nodes.ts'

const beatMs = 1_000

export async function amongOthers(parts: NodesParts, cluster: Cluster): Promise<Nodes> {
  const { log, onLog, onState, onDraining } = parts
  let isDraining = false
  let isAway = false
  let timer: NodeJS.Timeout | null = null
  let beating: Promise<void> | null = null
  let isWanted = false
  let closed = false

  const beat = async () => {
    const askedAt = performance.now()
    const state = await cluster.beat()
    if (isAway) log.info('The database answers again')
    isAway = false
    if (state.isDraining !== isDraining) {
      isDraining = state.isDraining
      log.info(isDraining ? 'Draining: nothing more is taken in or run here' : 'No longer draining')
      onDraining(isDraining)
    }
    onState(state, askedAt)
  }
  const tryBeat = async () => {
    try {
      await beat()
    } catch (error) {
      if (!isAway && !closed)
        log.error({ reason: messageOf(error) }, 'The database does not answer; trying again')
      isAway = true
    }
    // What others wrote to the log is found out even if no hint came through.
    if (!isAway) onLog()
  }
  const begin = () => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (closed) return
    isWanted = beating !== null
    beating ??= tryBeat().finally(() => {
      beating = null
      if (closed) return
      if (isWanted) begin()
      else timer = setTimeout(begin, beatMs)
    })
  }

  await beat()
  cluster.onHint((hint) => {
    if (closed) return
    if (hint === 'log') onLog()
    else begin()
  })
  begin()
  return {
    node: cluster.node,
    isDraining: () => isDraining,
    list: () => cluster.nodes(),
    async setDraining(name, wanted) {
      const changed = await cluster.setDraining(name, wanted)
      if (name === cluster.node) await beat()
      return changed
    },
    async [Symbol.asyncDispose]() {
      closed = true
      if (timer !== null) clearTimeout(timer)
      await beating
    },
  }
}
