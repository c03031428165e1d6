/**
 * Callbacks: what one on every stored instance costs the ingest, how soon they begin after the commit, how many run in a
 * second, and what a host call takes.
 */
import { send } from './clients.ts'
import { shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import { measureRate, rateMethod } from './rate.ts'
import type { Notebook } from './report.ts'
import { measureRuns, runsMethod } from './runs.ts'
import { makeSamples } from './samples.ts'
import { type Side, startServer } from './servers.ts'

export const callbacksMethod = [
  '"Ingest kept": instances of 6 KB over four connections, with a trivial callback on each, whose end is waited for, as a',
  'part of what the same server takes in without any; fresh servers, warmed up, with and without in turn.',
  ...rateMethod,
  ...runsMethod,
]

export async function measureCallbacks(notebook: Notebook, rounds: Rounds): Promise<void> {
  for (let pair = 1; pair <= rounds.pairs; pair++) {
    for (const side of rounds.sides) {
      const without = await ingest(notebook, side, false, rounds.isQuick)
      const kept = ((await ingest(notebook, side, true, rounds.isQuick)) / without) * 100
      notebook.note('ingest kept with a callback on every instance', '%', side, kept, {
        of: 'value',
        atLeast: 70,
      })
      console.error(`pair ${pair}/${rounds.pairs}, ${side}: ${shown(kept)} % of ${shown(without)}/s kept`)
    }
  }
  for (let round = 1; round <= Math.min(3, rounds.pairs); round++)
    await measureRate(notebook, (text) => console.error(`round ${round}, ${text}`), rounds.isQuick ? 5 : 60)
  await measureRuns(notebook, { ...rounds, pairs: Math.min(5, rounds.pairs) })
}

async function ingest(
  notebook: Notebook,
  side: Side,
  hasCallbacks: boolean,
  isQuick: boolean,
): Promise<number> {
  const [warmUp, count] = isQuick ? [100, 200] : [3_000, 2_000]
  const set = { size: '6 KB', studies: 22, seriesPerStudy: 5 } as const
  const samples = makeSamples({ ...set, instances: warmUp + count, run: Date.now() })
  const milestones = [warmUp, warmUp + count]
  await using server = await startServer(side, { stableAgeSeconds: 600, milestones, hasCallbacks })
  notebook.versions[side] = server.version
  await send(server, 'HTTP', 4, samples.slice(0, warmUp))
  await server.drained(warmUp)
  const { firstSendMs, lastAnswerMs } = await send(server, 'HTTP', 4, samples.slice(warmUp))
  if (!hasCallbacks) return (count * 1_000) / (lastAnswerMs - firstSendMs)
  const drainedAtMs = Math.max(lastAnswerMs, await server.drained(warmUp + count))
  return (count * 1_000) / (drainedAtMs - firstSendMs)
}
