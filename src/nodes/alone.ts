/** A server that shares its store with nobody. */
import { packageVersion } from '../lib/version.ts'
import type { Nodes, NodesParts } from './nodes.ts'

export async function alone({ store, node, onDraining }: NodesParts): Promise<Nodes> {
  const startedAtMs = Date.now()
  let isDraining = false
  return {
    node,
    isDraining: () => isDraining,
    async list() {
      const leased = (await store.backlog()).reduce((sum, each) => sum + each.leased, 0)
      const seenAtMs = Date.now()
      return [{ name: node, version: packageVersion(), startedAtMs, seenAtMs, isDraining, leased }]
    },
    async setDraining(name, wanted) {
      if (name !== node) return null
      if (wanted === isDraining) return false
      isDraining = wanted
      onDraining(wanted)
      return true
    },
    async [Symbol.asyncDispose]() {},
  }
}
