/**
 * The scripts that have deliveries in hand: each has a queue, and slots that are at work on it.
 */
import type { Lease } from '../store/store.ts'
import { ScriptQueue } from './script-queue.ts'
import { type ServeParts, serve } from './serve.ts'

export interface ServingParts extends Omit<ServeParts, 'onFreed'> {
  /** How many runs a script may have at a time. */
  readonly concurrencyOf: (script: string) => number
  /** A slot has nothing more. */
  readonly onIdle: () => void
}

export interface Serving {
  /** What is added is begun by `start`. */
  add(lease: Lease): void
  /** Starts the slots of a script that find something to begin. */
  start(script: string): void
  /** Whether a slot of the script has nothing to do, and nothing in the queue to begin. */
  hasFreeSlot(script: string): boolean
  /** The scripts that have something in hand. */
  scripts(): readonly string[]
  /** Resolves when these have nothing more in hand of what they have now. */
  ended(scripts: readonly string[]): Promise<void>
}

interface ServedScript {
  readonly queue: ScriptQueue
  /** By the number of their slot. */
  readonly slots: Map<number, Promise<void>>
}

export function openServing({ concurrencyOf, onIdle, ...parts }: ServingParts): Serving {
  const served = new Map<string, ServedScript>()

  const start = (script: string) => {
    const known = served.get(script)
    if (known === undefined) return
    for (let slot = 0; slot < concurrencyOf(script); slot++) {
      if (known.slots.has(slot)) continue
      if (known.queue.peek(slot) === undefined) return
      known.slots.set(slot, serveSlot(script, known, slot))
    }
  }

  const serveSlot = async (script: string, { queue, slots }: ServedScript, slot: number) => {
    await serve(queue, slot, { ...parts, onFreed: () => start(script) })
    slots.delete(slot)
    // Something may have come in between.
    start(script)
    if (slots.size === 0 && queue.length === 0) served.delete(script)
    onIdle()
  }

  return {
    add(lease) {
      const known = served.get(lease.script) ?? { queue: new ScriptQueue(), slots: new Map() }
      served.set(lease.script, known)
      known.queue.add([lease])
    },
    start,
    hasFreeSlot(script) {
      const known = served.get(script)
      if (known === undefined) return true
      for (let slot = 0; slot < concurrencyOf(script); slot++) {
        if (!known.slots.has(slot)) return known.queue.peek(slot) === undefined
      }
      return false
    },
    scripts: () => [...served.keys()],
    async ended(scripts) {
      await Promise.all(scripts.flatMap((script) => [...(served.get(script)?.slots.values() ?? [])]))
    },
  }
}
