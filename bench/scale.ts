/**
 * Scale: what growth costs, how soon a restart fires what is overdue among a million open windows, and what a server
 * takes that has nothing to do.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'undici'
import { shown } from './figures.ts'
import { fillFolder } from './filled-folder.ts'
import { growthMethod, measureGrowth } from './growth.ts'
import type { Rounds } from './ingest.ts'
import { startOnStable } from './onstable-server.ts'
import { processorPercent, proportionalMb } from './process-cost.ts'
import type { Notebook } from './report.ts'
import { freePort, makeFolder } from './server-process.ts'

const project = fileURLToPath(new URL('..', import.meta.url))

export const scaleMethod = [
  ...growthMethod,
  '"overdue": of a million open windows 10,000 became due while the server was down; from the start of the process until',
  'the last of them has fired, less the ten seconds for which silence is watched after a restart.',
  '"idle": all that `npx onstable start` leaves running, npm itself included, with the scripts of this repository, half a',
  'minute after it serves: its memory, what processes share in parts, and its processor time over a minute.',
]

export async function measureScale(notebook: Notebook, rounds: Rounds): Promise<void> {
  for (let round = 1; round <= rounds.pairs; round++) {
    await measureIdle(notebook, rounds.isQuick)
    await measureOverdue(notebook, rounds.isQuick)
  }
  await measureGrowth(notebook, rounds)
}

async function measureIdle(notebook: Notebook, isQuick: boolean): Promise<void> {
  const folder = makeFolder('idle')
  const places = { data: join(folder, 'data'), 'http-port': await freePort(), 'dicom-port': await freePort() }
  const parameters = Object.entries(places).flatMap(([name, value]) => [`--${name}`, String(value)])
  // A group of its own, to be ended as a terminal would.
  const child = spawn('npx', ['onstable', 'start', '--log-level', 'warn', ...parameters], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const end = () => process.kill(-child.pid!, 'SIGKILL')
  process.once('exit', end)
  const ended = once(child, 'exit')
  // What it prints first says that it serves.
  await once(child.stdout, 'data')
  await delay(isQuick ? 1_000 : 30_000)
  const memoryMb = proportionalMb(child.pid!)
  const percent = await processorPercent(child.pid!, isQuick ? 1_000 : 60_000)
  process.kill(-child.pid!, 'SIGINT')
  await ended
  process.removeListener('exit', end)
  notebook.note('idle: memory', 'MB', 'OnStable', memoryMb, { of: 'value', atMost: 220 })
  notebook.note('idle: processor time', '% of a core', 'OnStable', percent, { of: 'value', atMost: 0.5 })
  console.error(`idle: ${shown(memoryMb)} MB, ${shown(percent)} % of a core`)
}

const levels = 3
const changesOfNewStudy = 4

async function measureOverdue(notebook: Notebook, isQuick: boolean): Promise<void> {
  const [open, overdue] = isQuick ? [3_000, 1_000] : [333_334, 3_334]
  const hours = 3_600_000
  const arrivedMsAgo = [
    { from: 0, ms: 2 * hours },
    { from: overdue, ms: 1_000 },
  ]
  const usual = { perSeries: 1, seriesPerStudy: 1, isStable: false, owedTo: null }
  const data = await fillFolder({ ...usual, instances: open, arrivedMsAgo, ageMs: hours })
  const startMs = performance.now()
  await using server = await startOnStable({ stableAgeSeconds: 3_600, milestones: [], data })
  notebook.versions.OnStable = server.version
  const client = new Client(server.url)
  const wanted = open * changesOfNewStudy + overdue * levels
  for (;;) {
    const { body } = await client.request({ method: 'GET', path: '/changes?last' })
    const { Last } = (await body.json()) as { Last: number }
    if (Last >= wanted) break
    if (performance.now() - startMs > 120_000) throw new Error(`The log ends at ${Last} of ${wanted}`)
    await delay(20)
  }
  const seconds = (performance.now() - startMs) / 1_000 - 10
  await client.close()
  notebook.note('overdue: until the last has fired', 's', 'OnStable', seconds, { of: 'value', atMost: 5 })
  console.error(`overdue: all fired ${shown(seconds)} s after their grace`)
}
