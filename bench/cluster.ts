/**
 * Several servers on one PostgreSQL: how many instances per second come in over two of ours, and over one Orthanc; how
 * late stable events and changes are seen on the server that did not receive; and how often a study that is split over
 * two servers is told as stable.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { z } from 'zod'
import { startOwnPostgres } from '../test/support/own-postgres.ts'
import { send, upload } from './clients.ts'
import { quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook } from './report.ts'
import { makeSamples, type Sample } from './samples.ts'
import type { LineListener } from './server-process.ts'
import { makeFolder } from './server-process.ts'
import { type Server, type Side, startServer } from './servers.ts'

/** What Orthanc takes at a time: with more it answers 503, its transactions collide. */
const connectionsOf: Readonly<Record<Side, number>> = { OnStable: 16, Orthanc: 4 }
const nodesOf: Readonly<Record<Side, number>> = { OnStable: 2, Orthanc: 1 }

export const clusterMethod = [
  'A PostgreSQL of its own for each round, with its defaults (fsync and synchronous_commit on), on the same machine.',
  '"Ingest" is instances of 6 KB by HTTP until all are answered: over two servers of OnStable with 16 connections each,',
  'and over one Orthanc with four (with eight it answers 503). Each is warmed up with as many.',
  '"event" is by the own time stamps: event committed, less last arrival, less stable age of a second; "follower" is',
  'from the answer to an upload to one server until another shows the change, asked every few milliseconds.',
  '"Split study": half of its instances go to each of two servers; counted is how many say that it is stable.',
]

export async function measureCluster(notebook: Notebook, rounds: Rounds): Promise<void> {
  for (let pair = 1; pair <= rounds.pairs; pair++) {
    for (const side of rounds.sides) {
      const rate = await measureIngest(notebook, side, rounds.isQuick ? 400 : 3_000)
      notebook.note('Ingest of 6 KB', 'instances/s', side, rate, { of: 'ratio', atLeast: 4 })
      console.error(`ingest, pair ${pair}/${rounds.pairs}, ${side}: ${shown(rate)}/s`)
    }
    for (const side of rounds.sides) {
      const told = await tellSplitStudy(notebook, side)
      notebook.note('Stable events of a split study', 'events', side, told)
      console.error(`split study, pair ${pair}/${rounds.pairs}, ${side}: told ${told} times`)
    }
    const { eventMs, followerMs } = await measureLag(notebook, rounds.isQuick ? 30 : 200)
    for (const [what, figures] of [
      ['Event', eventMs],
      ['Follower', followerMs],
    ] as const) {
      notebook.note(`${what} lag, median`, 'ms', 'OnStable', quantile(figures, 0.5))
      notebook.note(`${what} lag, p99`, 'ms', 'OnStable', quantile(figures, 0.99), {
        of: 'value',
        atMost: 50,
      })
      console.error(`${what}: ${shown(quantile(figures, 0.5))} ms, p99 ${shown(quantile(figures, 0.99))} ms`)
    }
  }
}

interface Group extends AsyncDisposable {
  readonly servers: readonly Server[]
}

async function startGroup(
  notebook: Notebook,
  side: Side,
  count: number,
  stableAgeSeconds: number,
  onLine: LineListener = () => {},
): Promise<Group> {
  await using parts = new AsyncDisposableStack()
  const { url } = parts.use(await startOwnPostgres())
  const data = makeFolder('shared')
  const servers: Server[] = []
  for (let n = 1; n <= count; n++) {
    const node = { name: `node-${n}`, data }
    const options = { stableAgeSeconds, milestones: [], database: url, node, onLine }
    servers.push(parts.use(await startServer(side, options)))
  }
  notebook.versions[side] = servers[0]!.version
  const running = parts.move()
  return { servers, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function measureIngest(notebook: Notebook, side: Side, count: number): Promise<number> {
  await using group = await startGroup(notebook, side, nodesOf[side], 600)
  const samples = makeSamples({
    studies: 22,
    seriesPerStudy: 5,
    run: Date.now(),
    size: '6 KB',
    instances: count * 2,
  })
  await sendShared(group.servers, side, samples.slice(0, count))
  const { firstSendMs, lastAnswerMs } = await sendShared(group.servers, side, samples.slice(count))
  return (count * 1000) / (lastAnswerMs - firstSendMs)
}

/** Each server gets its share of every study. */
async function sendShared(servers: readonly Server[], side: Side, samples: readonly Sample[]) {
  const sent = await Promise.all(
    servers.map((server, n) =>
      send(
        server,
        'HTTP',
        connectionsOf[side],
        samples.filter((_, at) => at % servers.length === n),
      ),
    ),
  )
  return {
    firstSendMs: Math.min(...sent.map(({ firstSendMs }) => firstSendMs)),
    lastAnswerMs: Math.max(...sent.map(({ lastAnswerMs }) => lastAnswerMs)),
  }
}

async function tellSplitStudy(notebook: Notebook, side: Side): Promise<number> {
  let told = 0
  await using group = await startGroup(notebook, side, 2, 2, (line) => {
    if (/stable [0-9a-f-]{44}/.test(line)) told += 1
  })
  const samples = makeSamples({ studies: 1, seriesPerStudy: 1, run: Date.now(), size: '6 KB', instances: 10 })
  await sendShared(group.servers, side, samples)
  await delay(6_000)
  return told
}

const changesSchema = z.object({ Changes: z.array(z.object({ ID: z.string() })), Last: z.number() })

async function measureLag(notebook: Notebook, studies: number) {
  const eventMs: number[] = []
  await using group = await startGroup(notebook, 'OnStable', 2, 1, (line) => {
    const [, last, at] = /stable [0-9a-f-]{44} last=(\d+) at=(\d+)/.exec(line) ?? []
    if (last !== undefined) eventMs.push(Number(at) - Number(last) - 1_000)
  })
  const [one, two] = group.servers
  const seenAtMs = new Map<string, number>()
  let isDone = false
  const follow = async () => {
    for (let since = 0; !isDone; ) {
      const page = changesSchema.parse(
        await (await fetch(`${two!.url}/changes?since=${since}&limit=1000`)).json(),
      )
      for (const { ID } of page.Changes) if (!seenAtMs.has(ID)) seenAtMs.set(ID, performance.now())
      since = page.Last
      await delay(3)
    }
  }
  const following = follow()
  const followerMs: number[] = []
  const client = new Client(one!.url)
  const samples = makeSamples({
    studies,
    seriesPerStudy: 1,
    run: Date.now(),
    size: '6 KB',
    instances: studies,
  })
  const answered = new Map<string, number>()
  for (const sample of samples) {
    answered.set(await upload(client, sample), performance.now())
    await delay(Math.random() * 100)
  }
  await delay(4_000)
  isDone = true
  await following
  await client.close()
  for (const [id, atMs] of answered) {
    const seen = seenAtMs.get(id)
    if (seen === undefined) throw new Error(`Study ${id} was never seen on the other server`)
    followerMs.push(Math.max(0, seen - atMs))
  }
  if (eventMs.length !== studies)
    throw new Error(`${eventMs.length} of ${studies} studies were told as stable`)
  return { eventMs, followerMs }
}
