/**
 * How long after its quiet time a study's stable event comes: studies of one instance, sent at random moments,
 * one after the other.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { upload } from './clients.ts'
import { quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook } from './report.ts'
import { makeSamples } from './samples.ts'
import { type Side, startServer } from './servers.ts'

const stableAges = [1, 5]

export const latenessMethod = [
  'Single-instance studies at random moments, 50 ms apart on average. "callback" is the same for both sides:',
  'from the answer to the upload, plus the stable age, until the line that the callback logs is read from the',
  'server. "event" is by the own time stamps of OnStable: event committed, less last arrival, less stable age.',
]

/** Runs every stable age on every side, in turn, and notes the median and the 99th percentile of each round. */
export async function measureLateness(notebook: Notebook, rounds: Rounds): Promise<void> {
  for (const stableAgeSeconds of stableAges) {
    for (let pair = 1; pair <= rounds.pairs; pair++) {
      for (const side of rounds.sides) {
        const late = await measureSide(notebook, side, stableAgeSeconds, rounds.isQuick ? 40 : 200)
        noteRound(notebook, side, stableAgeSeconds, late)
        const callback = `${shown(quantile(late.callbackMs, 0.5))} ms, p99 ${shown(quantile(late.callbackMs, 0.99))} ms`
        console.error(`stable age ${stableAgeSeconds} s, pair ${pair}/${rounds.pairs}, ${side}: ${callback}`)
      }
    }
  }
}

interface Lateness {
  readonly callbackMs: readonly number[]
  /** Empty where the server keeps no time stamps finer than a second. */
  readonly eventMs: readonly number[]
}

function noteRound(notebook: Notebook, side: Side, age: number, { callbackMs, eventMs }: Lateness): void {
  const note = (what: string, figures: readonly number[], part: number, atMost: number | null) => {
    if (figures.length === 0) return
    const name = `${what} at stable age ${age} s, ${part === 0.5 ? 'median' : 'p99'}`
    notebook.note(
      name,
      'ms late',
      side,
      quantile(figures, part),
      atMost === null ? null : { of: 'value', atMost },
    )
  }
  note('event', eventMs, 0.5, null)
  note('event', eventMs, 0.99, 25)
  note('callback', callbackMs, 0.5, null)
  note('callback', callbackMs, 0.99, null)
}

async function measureSide(
  notebook: Notebook,
  side: Side,
  stableAgeSeconds: number,
  studies: number,
): Promise<Lateness> {
  const heardAtMs = new Map<string, number>()
  const eventMs: number[] = []
  const { promise: allHeard, resolve } = Promise.withResolvers<void>()
  await using server = await startServer(side, {
    stableAgeSeconds,
    milestones: [studies],
    onLine: (line, atMs) => {
      const [, id, last, at] = /stable ([0-9a-f-]{44})(?: last=(\d+) at=(\d+))?/.exec(line) ?? []
      if (id === undefined || heardAtMs.has(id)) return
      heardAtMs.set(id, atMs)
      if (last !== undefined) eventMs.push(Number(at) - Number(last) - stableAgeSeconds * 1000)
      if (heardAtMs.size === studies) resolve()
    },
  })
  notebook.versions[side] = server.version
  const answeredAtMs = await sendAtRandom(server.url, studies)
  const patience = delay((stableAgeSeconds + 10) * 1000, undefined, { ref: false })
  await Promise.race([allHeard, patience])
  if (heardAtMs.size < studies) throw new Error(`${side} told of ${heardAtMs.size} of ${studies} studies`)
  await server.drained(studies)
  const dueMs = (id: string) => answeredAtMs.get(id)! + stableAgeSeconds * 1000
  return { callbackMs: [...heardAtMs].map(([id, atMs]) => atMs - dueMs(id)), eventMs }
}

/** Uploads that many studies, 0 to 100 ms apart; says when each was answered, by its identifier. */
async function sendAtRandom(url: string, studies: number): Promise<Map<string, number>> {
  const samples = makeSamples({
    size: '6 KB',
    instances: studies,
    studies,
    seriesPerStudy: 1,
    run: Date.now(),
  })
  const answeredAtMs = new Map<string, number>()
  const client = new Client(url)
  for (const sample of samples) {
    const study = await upload(client, sample)
    answeredAtMs.set(study, performance.now())
    await delay(Math.random() * 100)
  }
  await client.close()
  return answeredAtMs
}
