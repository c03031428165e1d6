/**
 * How long after its quiet time a study's stable event comes: studies of one instance, sent at random moments,
 * one after the other.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { sendSteadily, upload } from './clients.ts'
import { quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook } from './report.ts'
import { makeSamples } from './samples.ts'
import { type Side, startServer } from './servers.ts'

/** With how many other instances a second arriving, each told to the callback. */
const cases = [
  { stableAgeSeconds: 1, load: 0 },
  { stableAgeSeconds: 5, load: 0 },
  { stableAgeSeconds: 1, load: 200 },
  { stableAgeSeconds: 5, load: 200 },
] as const
type Case = (typeof cases)[number]

export const latenessMethod = [
  'Single-instance studies at random moments, 50 ms apart on average; "+ 200/s" with 200 other instances of 6 KB a second',
  'arriving besides, in studies of twenty, each told to the callback; only the single ones are looked at. "callback" is the same for both sides:',
  'from the answer to the upload, plus the stable age, until the line that the callback logs is read from the',
  'server. "event" is by the own time stamps of OnStable: event committed, less last arrival, less stable age.',
]

/** Runs every stable age on every side, in turn, and notes the median and the 99th percentile of each round. */
export async function measureLateness(notebook: Notebook, rounds: Rounds): Promise<void> {
  for (const one of cases) {
    for (let pair = 1; pair <= rounds.pairs; pair++) {
      for (const side of rounds.sides) {
        const late = await measureSide(notebook, side, one, rounds.isQuick ? 40 : 200)
        noteRound(notebook, side, one, late)
        const callback = `${shown(quantile(late.callbackMs, 0.5))} ms, p99 ${shown(quantile(late.callbackMs, 0.99))} ms`
        console.error(`${nameOf(one)}, pair ${pair}/${rounds.pairs}, ${side}: ${callback}`)
      }
    }
  }
}

interface Lateness {
  readonly callbackMs: readonly number[]
  /** Empty where the server keeps no time stamps finer than a second. */
  readonly eventMs: readonly number[]
}

const nameOf = ({ stableAgeSeconds, load }: Case) =>
  `stable age ${stableAgeSeconds} s${load === 0 ? '' : ` + ${load}/s`}`

function noteRound(notebook: Notebook, side: Side, one: Case, { callbackMs, eventMs }: Lateness): void {
  const note = (what: string, figures: readonly number[], part: number, atMost: number | null) => {
    if (figures.length === 0) return
    const name = `${what} at ${nameOf(one)}, ${part === 0.5 ? 'median' : 'p99'}`
    notebook.note(
      name,
      'ms late',
      side,
      quantile(figures, part),
      atMost === null ? null : { of: 'value', atMost },
    )
  }
  note('event', eventMs, 0.5, 5)
  note('event', eventMs, 0.99, 15)
  note('callback', callbackMs, 0.5, null)
  note('callback', callbackMs, 0.99, null)
}

async function measureSide(
  notebook: Notebook,
  side: Side,
  { stableAgeSeconds, load }: Case,
  studies: number,
): Promise<Lateness> {
  const heardAtMs = new Map<string, number>()
  const eventMs: number[] = []
  const answeredAtMs = new Map<string, number>()
  const { promise: allHeard, resolve } = Promise.withResolvers<void>()
  await using server = await startServer(side, {
    stableAgeSeconds,
    milestones: [studies],
    onLine: (line, atMs) => {
      const [, id, last, at] = /stable ([0-9a-f-]{44})(?: last=(\d+) at=(\d+))?/.exec(line) ?? []
      if (id === undefined || heardAtMs.has(id) || !answeredAtMs.has(id)) return
      heardAtMs.set(id, atMs)
      if (last !== undefined) eventMs.push(Number(at) - Number(last) - stableAgeSeconds * 1000)
      if (heardAtMs.size === studies) resolve()
    },
  })
  notebook.versions[side] = server.version
  const others = load === 0 ? null : sendSteadily(server, load)
  await sendAtRandom(server.url, studies, answeredAtMs)
  const patience = delay((stableAgeSeconds + 10) * 1000, undefined, { ref: false })
  await Promise.race([allHeard, patience])
  await others?.end()
  if (heardAtMs.size < studies) throw new Error(`${side} told of ${heardAtMs.size} of ${studies} studies`)
  if (others === null) await server.drained(studies)
  const dueMs = (id: string) => answeredAtMs.get(id)! + stableAgeSeconds * 1000
  return { callbackMs: [...heardAtMs].map(([id, atMs]) => atMs - dueMs(id)), eventMs }
}

/** Uploads that many studies, 0 to 100 ms apart; notes when each was answered, by its identifier. */
async function sendAtRandom(url: string, studies: number, answeredAtMs: Map<string, number>): Promise<void> {
  const samples = makeSamples({
    size: '6 KB',
    instances: studies,
    studies,
    seriesPerStudy: 1,
    run: Date.now(),
  })
  const client = new Client(url)
  for (const sample of samples) {
    const study = await upload(client, sample)
    answeredAtMs.set(study, performance.now())
    await delay(Math.random() * 100)
  }
  await client.close()
}
