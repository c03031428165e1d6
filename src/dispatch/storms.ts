/**
 * Notices scripts that wake themselves: what they send or post comes back, and they are told of it, again and again.
 * Kept in memory, and only of runs that had effects: after a restart the count begins anew.
 *
 *   run with effects ─► its resource comes back, or an instance that it caused ─► run with effects ─► …
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
  /** A resource, with those above it, came from ourselves, or once more from where we send to. */
  echoed(ids: Identifiers): void
  /** The run with this key asked this server for something by which it may be woken for its own resource. */
  woke(idempotencyKey: string): void
  /** A script begins anew: it was saved, or resumed. */
  forget(script: string): void
  /** @returns how often in a row it was woken by what had been done before */
  ended(run: RunWithEffects): number
}

/** A run that has sent or posted something. */
export interface RunWithEffects {
  /** Script and callback, with a space between. */
  readonly name: string
  readonly resource: string
  readonly idempotencyKey: string
  /** Key of the run that posted the instance that it was told of; null: no run of this server did. */
  readonly cause: string | null
}

/** @param now milliseconds that never go back */
export function watchStorms(now: () => number): Storms {
  /** By resource, then by script and callback; the oldest resource first. */
  const memories = new Map<string, Map<string, Memory>>()
  /** How many runs each had before it in its chain, by idempotency key; the oldest first. */
  const chains = new Map<string, { readonly name: string; readonly link: number }>()
  /** Keys of runs that have woken themselves and have not ended yet; the oldest first. */
  const woken = new Set<string>()
  const linkOf = ({ name, idempotencyKey, cause }: RunWithEffects): number => {
    const link = cause === null ? 0 : (chains.get(cause)?.link ?? 0) + 1
    chains.delete(idempotencyKey)
    chains.set(idempotencyKey, { name, link })
    if (chains.size > mostRemembered) chains.delete(chains.keys().next().value!)
    return link
  }
  return {
    echoed(ids) {
      for (const id of Object.values(ids)) {
        for (const memory of memories.get(id)?.values() ?? []) {
          if (now() - memory.atMs <= echoMs) memory.hasEchoed = true
        }
      }
    },
    woke(idempotencyKey) {
      woken.add(idempotencyKey)
      if (woken.size > mostRemembered) woken.delete(woken.keys().next().value!)
    },
    forget(script) {
      const isOf = (name: string) => name.startsWith(`${script} `)
      for (const ofResource of memories.values()) {
        for (const name of ofResource.keys()) if (isOf(name)) ofResource.delete(name)
      }
      for (const [key, { name }] of chains) if (isOf(name)) chains.delete(key)
    },
    ended(run) {
      const { name, resource, idempotencyKey } = run
      const ofResource = memories.get(resource) ?? new Map<string, Memory>()
      const memory = ofResource.get(name)
      const echoes = memory?.hasEchoed ? memory.echoes + 1 : 0
      ofResource.set(name, { atMs: now(), hasEchoed: woken.delete(idempotencyKey), echoes })
      memories.delete(resource)
      memories.set(resource, ofResource)
      if (memories.size > mostRemembered) memories.delete(memories.keys().next().value!)
      return Math.max(echoes, linkOf(run))
    },
  }
}
