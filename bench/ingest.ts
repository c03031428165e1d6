/**
 * How many instances per second come in and have their callback run: by HTTP and by C-STORE, each side in
 * turn, each time on a fresh server.
 */
import { existsSync } from 'node:fs'
import { type Protocol, send } from './clients.ts'
import { shown } from './figures.ts'
import type { Notebook, Target } from './report.ts'
import { makeSamples, type SampleSize } from './samples.ts'
import { type Side, startServer } from './servers.ts'
import { measureSyncs, strace } from './syncs.ts'

export interface Rounds {
  readonly sides: readonly Side[]
  readonly pairs: number
  /** A fifth of the instances, to see that everything works. */
  readonly isQuick: boolean
  /** Numbers of attacks or loads, of a benchmark that has several; null: all. */
  readonly only: readonly number[] | null
}

interface Load {
  readonly protocol: Protocol
  readonly connections: number
  readonly size: SampleSize
  readonly instances: number
  readonly ratioAtLeast: number | null
}

const loads: readonly Load[] = [
  { protocol: 'HTTP', connections: 1, size: '6 KB', instances: 1000, ratioAtLeast: 1.5 },
  { protocol: 'HTTP', connections: 4, size: '6 KB', instances: 2000, ratioAtLeast: 2.5 },
  { protocol: 'HTTP', connections: 8, size: '6 KB', instances: 2000, ratioAtLeast: 3 },
  { protocol: 'HTTP', connections: 1, size: '525 KB', instances: 300, ratioAtLeast: null },
  { protocol: 'HTTP', connections: 4, size: '525 KB', instances: 400, ratioAtLeast: 2.5 },
  { protocol: 'HTTP', connections: 8, size: '525 KB', instances: 400, ratioAtLeast: null },
  { protocol: 'C-STORE', connections: 1, size: '6 KB', instances: 1500, ratioAtLeast: 3 },
  { protocol: 'C-STORE', connections: 4, size: '6 KB', instances: 2000, ratioAtLeast: 2.5 },
  { protocol: 'C-STORE', connections: 1, size: '525 KB', instances: 400, ratioAtLeast: 2 },
  { protocol: 'C-STORE', connections: 4, size: '525 KB', instances: 400, ratioAtLeast: 2 },
]

/** Code that was just compiled is no measure of a server that runs for months. */
const warmUpInstances = 3_000
/** And then of the size in question: before so many, some are taken in a quarter slower than from then on. */
const warmUpOfSize = 1_200

export const ingestMethod = [
  'A trivial callback runs on every stored instance on both sides. Rates count from the first send until every',
  'instance is answered and its callback has run; "answered only" leaves out the wait for the callbacks.',
  '"× 4" is over four connections, or associations, at once, opened anew for the timed window.',
  'Each round is a fresh server and data folder, warmed up with 3,000 instances of 6 KB and 1,200 of the size in',
  'question: as it is when it has been up for a while. Sides take turns.',
  'Syncs per instance, in all, are counted with strace in a run of their own (`npm run bench -- syncs` tells them apart).',
]

/** Runs every load on every side, in turn, and notes the rates. */
export async function measureIngest(notebook: Notebook, rounds: Rounds): Promise<void> {
  const chosen = loads.filter((_, at) => rounds.only?.includes(at + 1) ?? true)
  for (const load of chosen) {
    for (let pair = 1; pair <= rounds.pairs; pair++) {
      for (const side of rounds.sides) await measureLoad(notebook, load, side, rounds, pair)
    }
  }
  // What is faster because it promises less is not faster.
  if (existsSync(strace)) await measureSyncs(notebook, rounds, true)
  else console.error('Syncs were not counted: strace is not installed')
}

async function measureLoad(
  notebook: Notebook,
  load: Load,
  side: Side,
  { pairs, isQuick }: Rounds,
  pair: number,
): Promise<void> {
  const count = isQuick ? load.instances / 5 : load.instances
  const small = isQuick ? 0 : warmUpInstances
  const ofSize = isQuick ? count / 2 : warmUpOfSize
  const warmUp = small + ofSize
  const set = { studies: 22, seriesPerStudy: 5, run: Date.now() }
  const first = makeSamples({ ...set, size: '6 KB', instances: small })
  const samples = makeSamples({ ...set, size: load.size, instances: ofSize + count, run: set.run + 1 })
  await using server = await startServer(side, {
    stableAgeSeconds: 600,
    milestones: [warmUp, warmUp + count],
  })
  notebook.versions[side] = server.version
  await send(server, load.protocol, load.connections, [...first, ...samples.slice(0, ofSize)])
  await server.drained(warmUp)
  const sent = await send(server, load.protocol, load.connections, samples.slice(ofSize))
  const drainedAtMs = Math.max(sent.lastAnswerMs, await server.drained(warmUp + count))

  const name = `${load.protocol} ${load.size} × ${load.connections}`
  const drained = (count * 1000) / (drainedAtMs - sent.firstSendMs)
  const answered = (count * 1000) / (sent.lastAnswerMs - sent.firstSendMs)
  const target: Target | null =
    load.ratioAtLeast === null ? null : { of: 'ratio', atLeast: load.ratioAtLeast }
  notebook.note(name, 'instances/s', side, drained, target)
  notebook.note(`${name}, answered only`, 'instances/s', side, answered)
  console.error(
    `${name}, pair ${pair}/${pairs}, ${side}: ${shown(drained)}/s, answered only ${shown(answered)}/s`,
  )
}
