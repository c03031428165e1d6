/**
 * Brings a server to what it is after its first minutes: code that was just compiled is no measure of one that runs
 * for months.
 */
import { type Protocol, send } from './clients.ts'
import { makeSamples } from './samples.ts'
import type { Server } from './server.ts'

/** Until some 12,000 were taken in, each thousand goes faster than the one before. */
export const warmUpInstances = 12_000
const connections = 8
/** Of these the rate is told. */
const firstInstances = 2_000

/**
 * Sends instances of 6 KB, as many as given, and waits until their callbacks have run: a milestone of the server.
 * @returns how many of the first 2,000 were answered in a second
 */
export async function warmUp(server: Server, protocol: Protocol, instances: number): Promise<number> {
  const set = { size: '6 KB', studies: 22, seriesPerStudy: 5, run: Date.now() } as const
  const samples = makeSamples({ ...set, instances })
  const first = Math.min(firstInstances, instances)
  const { firstSendMs, lastAnswerMs } = await send(server, protocol, connections, samples.slice(0, first))
  await send(server, protocol, connections, samples.slice(first))
  await server.drained(instances)
  return (first * 1000) / (lastAnswerMs - firstSendMs)
}
