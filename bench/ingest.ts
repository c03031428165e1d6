/**
 * How many instances per second come in and have their callback run: by HTTP and by C-STORE, each side in turn.
 */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Protocol, send } from './clients.ts'
import { shown } from './figures.ts'
import type { Notebook, Target } from './report.ts'
import { makeSamples, type SampleSize } from './samples.ts'
import { type Server, type Side, startServer } from './servers.ts'
import { measureSyncs, strace } from './syncs.ts'
import { warmUp, warmUpInstances } from './warm-up.ts'

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

/** After the warm-up, of the size in question: before so many, some are taken in a quarter slower than from then on. */
const warmUpOfSize = 1_200
/** So many rounds are measured on one server. */
const roundsPerServer = 3
/** Before each round: what the last one of the other side left to be done is done then. */
const restMs = 1_000

export const ingestMethod = [
  'A trivial callback runs on every stored instance on both sides. Rates count from the first send until every',
  'instance is answered and its callback has run; "answered only" leaves out the wait for the callbacks.',
  '"× 4" is over four connections, or associations, at once, opened anew for the timed window.',
  'Every three rounds both sides begin with a fresh server and data folder, warmed up with 12,000 instances of 6 KB',
  'and 1,200 of the size in question: as they are when they have been up for a while. Sides take turns. "Just started"',
  'are the first 2,000 of the warm-up, over eight connections, answered only.',
  'Syncs per instance, in all, are counted with strace in a run of their own (`npm run bench -- syncs` tells them apart).',
]

/** Runs every load on every side, in turn, and notes the rates. */
export async function measureIngest(notebook: Notebook, rounds: Rounds): Promise<void> {
  const chosen = loads.filter((_, at) => rounds.only?.includes(at + 1) ?? true)
  for (const load of chosen) {
    for (let first = 1; first <= rounds.pairs; first += roundsPerServer) {
      const last = Math.min(rounds.pairs, first + roundsPerServer - 1)
      await measureLoad(notebook, load, rounds, { first, last })
    }
  }
  // What is faster because it promises less is not faster.
  if (existsSync(strace)) await measureSyncs(notebook, rounds, true)
  else console.error('Syncs were not counted: strace is not installed')
}

/** Measures some of the rounds of a load, on one server of each side. */
async function measureLoad(
  notebook: Notebook,
  load: Load,
  { sides, pairs, isQuick }: Rounds,
  { first, last }: { first: number; last: number },
): Promise<void> {
  const counts = isQuick
    ? { small: 200, ofSize: load.instances / 10, each: load.instances / 5 }
    : { small: warmUpInstances, ofSize: warmUpOfSize, each: load.instances }
  await using open = new AsyncDisposableStack()
  const servers: Server[] = []
  for (const side of sides)
    servers.push(open.use(await startWarm(notebook, side, load, counts, last - first + 1)))
  for (let round = first; round <= last; round++) {
    for (const server of servers) {
      await delay(restMs)
      await measureRound(notebook, server, load, counts, round - first, `pair ${round}/${pairs}`)
    }
  }
}

interface Counts {
  readonly small: number
  readonly ofSize: number
  readonly each: number
}

async function startWarm(
  notebook: Notebook,
  side: Side,
  { protocol, connections, size }: Load,
  { small, ofSize, each }: Counts,
  rounds: number,
): Promise<Server> {
  const warm = small + ofSize
  const ends = Array.from({ length: rounds + 1 }, (_, round) => warm + round * each)
  const server = await startServer(side, { stableAgeSeconds: 600, milestones: [small, ...ends] })
  notebook.versions[side] = server.version
  const perSecond = await warmUp(server, protocol, small)
  if (size === '6 KB') notebook.note(`${protocol} 6 KB × 8, just started`, 'instances/s', side, perSecond)
  await send(server, protocol, connections, samplesOf(size, ofSize))
  await server.drained(warm)
  return server
}

async function measureRound(
  notebook: Notebook,
  server: Server,
  { protocol, connections, size, ratioAtLeast }: Load,
  { small, ofSize, each }: Counts,
  roundOfServer: number,
  pair: string,
): Promise<void> {
  const sent = await send(server, protocol, connections, samplesOf(size, each))
  const drained = await server.drained(small + ofSize + (roundOfServer + 1) * each)
  const drainedAtMs = Math.max(sent.lastAnswerMs, drained)

  const name = `${protocol} ${size} × ${connections}`
  const perSecond = (each * 1000) / (drainedAtMs - sent.firstSendMs)
  const answered = (each * 1000) / (sent.lastAnswerMs - sent.firstSendMs)
  const target: Target | null = ratioAtLeast === null ? null : { of: 'ratio', atLeast: ratioAtLeast }
  notebook.note(name, 'instances/s', server.side, perSecond, target)
  notebook.note(`${name}, answered only`, 'instances/s', server.side, answered)
  console.error(`${name}, ${pair}, ${server.side}: ${shown(perSecond)}/s, answered only ${shown(answered)}/s`)
}

function samplesOf(size: SampleSize, instances: number) {
  return makeSamples({ size, instances, studies: 22, seriesPerStudy: 5, run: Date.now() })
}
