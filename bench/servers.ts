/**
 * The servers that are compared: OnStable and a real Orthanc, each started fresh, on loopback, on free ports,
 * with the same callbacks: one that counts stored instances, and one that says in the log which study settled.
 */
import { startOnStable } from './onstable-server.ts'
import { startOrthanc } from './orthanc-server.ts'
import type { Server, ServerOptions, Side } from './server.ts'

export type { Server, Side }

export type Against = 'orthanc'

/** The sides of a comparison, in the order in which they take turns. */
export function sidesOf(against: Against | null): readonly Side[] {
  return against === null ? ['OnStable'] : ['OnStable', 'Orthanc']
}

export function startServer(side: Side, options: ServerOptions): Promise<Server> {
  switch (side) {
    case 'OnStable':
      return startOnStable(options)
    case 'Orthanc':
      return startOrthanc(options)
    default:
      return side satisfies never
  }
}
