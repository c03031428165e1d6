/**
 * Reloads: how long after the save of its file a version is in force, what becomes of studies that are about to be
 * stable then, and whether anything is lost or told twice over a thousand reloads while instances arrive.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { sendSteadily, upload } from './clients.ts'
import { quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook } from './report.ts'
import { makeSamples } from './samples.ts'
import type { Side } from './server.ts'
import { startServer } from './servers.ts'

const stableAgeSeconds = 2
const studies = 20
const perSecond = 100

export const reloadMethod = [
  'From the save of the file until the log says that the new version is in force, the time for which a file has to be',
  'quiet included. Orthanc knows a new Lua script after a restart: until it serves again. "while studies wait": twenty',
  'studies of one instance were uploaded just before, with a stable age of two seconds; counted is how many of them the',
  'callback is told of as stable. "under load": a hundred instances of 6 KB a second over HTTP, each told to the script',
  'that is reloaded, one reload after the other; counted is what it was not told, or twice.',
]

export async function measureReload(notebook: Notebook, rounds: Rounds): Promise<void> {
  for (let pair = 1; pair <= rounds.pairs; pair++) {
    for (const side of rounds.sides) {
      const { tookMs, told } = await reloadWhileWaiting(notebook, side)
      notebook.note('while studies wait', 'ms', side, tookMs)
      notebook.note(`while studies wait: told of ${studies}`, 'studies', side, told)
      console.error(
        `pair ${pair}/${rounds.pairs}, ${side}: in force after ${shown(tookMs)} ms, told of ${told} studies`,
      )
    }
  }
  await reloadUnderLoad(notebook, rounds.isQuick ? 20 : 1_000)
}

async function reloadWhileWaiting(notebook: Notebook, side: Side): Promise<{ tookMs: number; told: number }> {
  const told = new Set<string>()
  await using server = await startServer(side, {
    stableAgeSeconds,
    milestones: [],
    onLine: (line) => {
      const [, id] = /stable ([0-9a-f-]{44})/.exec(line) ?? []
      if (id !== undefined) told.add(id)
    },
  })
  notebook.versions[side] = server.version
  const client = new Client(server.url)
  const set = { size: '6 KB', instances: studies, studies, seriesPerStudy: 1, run: Date.now() } as const
  for (const sample of makeSamples(set)) await upload(client, sample)
  await client.close()
  const savedMs = performance.now()
  const tookMs = (await server.reload(1)) - savedMs
  // A server that looks for stable resources does so once a second.
  await delay(stableAgeSeconds * 1_000 + 4_000)
  return { tookMs, told: told.size }
}

async function reloadUnderLoad(notebook: Notebook, reloads: number): Promise<void> {
  const told: string[] = []
  await using server = await startServer('OnStable', {
    stableAgeSeconds: 600,
    milestones: [],
    saysEach: true,
    onLine: (line) => {
      const [, id] = /told ([0-9a-f-]{44})/.exec(line) ?? []
      if (id !== undefined) told.push(id)
    },
  })
  const load = sendSteadily(server, perSecond)
  const tookMs: number[] = []
  for (let version = 1; version <= reloads; version++) {
    const savedMs = performance.now()
    tookMs.push((await server.reload(version)) - savedMs)
    if (version % 100 === 0) console.error(`under load: ${version} reloads, ${told.length} instances told`)
    await delay(Math.random() * 20)
  }
  const sent = await load.end()
  await server.drained(sent)
  // The last lines are on their way.
  await delay(500)
  const [half, most] = [quantile(tookMs, 0.5), quantile(tookMs, 0.99)]
  const [missing, twice] = [sent - new Set(told).size, told.length - new Set(told).size]
  notebook.note('under load, median', 'ms', 'OnStable', half)
  notebook.note('under load, p99', 'ms', 'OnStable', most, { of: 'value', atMost: 150 })
  notebook.note('under load: not told', 'instances', 'OnStable', missing, { of: 'value', atMost: 0 })
  notebook.note('under load: told twice', 'instances', 'OnStable', twice, { of: 'value', atMost: 0 })
  console.error(
    `${reloads} reloads under load: ${shown(half)} ms, p99 ${shown(most)} ms; of ${sent} instances ${missing} not told, ${twice} twice`,
  )
}
