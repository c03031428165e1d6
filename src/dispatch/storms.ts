/**
 * Notices scripts that wake themselves: what they send or post comes back, and they are told of it, again and again.
 * Kept in memory, and only of runs that had effects: after a restart the count begins anew.
 *
 *   run with effects ─► its resource arrives again from us, or replaces itself ─► run with effects ─► …
 */
import type { Identifiers } from '../dicom/dicom.ts'

/** What comes back later is somebody else's doing. */
const echoMs = 600_000
/** Runs that are remembered. */
const mostRemembered = 10_000

interface Memory {
  atMs: number
  /** It has come back since. */
  hasEchoed: boolean
  /** In a row. */
  echoes: number
}

export interface Storms {
  /** A resource, with those above it, came from ourselves, or came once more. */
  echoed(ids: Identifiers): void
  /**
   * A run about a resource has ended that sent or posted something.
   * @returns how often in a row it was woken by what it had done before
   */
  ended(name: string, resource: string): number
}

/** @param now milliseconds that never go back */
export function watchStorms(now: () => number): Storms {
  /** By resource, then by script and callback; the oldest resource first. */
  const memories = new Map<string, Map<string, Memory>>()
  return {
    echoed(ids) {
      for (const id of Object.values(ids)) {
        for (const memory of memories.get(id)?.values() ?? []) {
          if (now() - memory.atMs <= echoMs) memory.hasEchoed = true
        }
      }
    },
    ended(name, resource) {
      const ofResource = memories.get(resource) ?? new Map<string, Memory>()
      const memory = ofResource.get(name)
      const echoes = memory?.hasEchoed ? memory.echoes + 1 : 0
      ofResource.set(name, { atMs: now(), hasEchoed: false, echoes })
      memories.delete(resource)
      memories.set(resource, ofResource)
      if (memories.size > mostRemembered) memories.delete(memories.keys().next().value!)
      return echoes
    },
  }
}
