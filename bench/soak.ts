/**
 * Whether a server stays as it is: minutes of instances at a steady rate, with scripts at work, and its memory, its
 * answers and its stable events looked at minute by minute.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { upload } from './clients.ts'
import { median, quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import { proportionalMb } from './process-cost.ts'
import type { Notebook, Target } from './report.ts'
import { makeSamples } from './samples.ts'
import type { ServerOptions, Side } from './server.ts'
import { startServer } from './servers.ts'

const perSecond = 200
const perStudy = 20
const stableAgeSeconds = 5
const connections = 4
const scripts = 10

export const soakMethod = [
  'Instances of 6 KB over four connections at 200 a second, in studies of twenty, with a stable age of five seconds. Ten',
  'scripts are told of each stable study, and five of them of each stored instance; on Orthanc one script of both.',
  '"answer" is from the send of an instance to its answer; "stable" is how long after its stable age the callback of a',
  'study says in the log that it was told. Memory is of all processes, what they share in parts. "first" is the third',
  'minute, "last" the last one.',
]

/** What was seen in one minute. */
interface Minute {
  readonly memoryMb: number
  readonly answerMs: readonly number[]
  readonly stableMs: readonly number[]
}

export async function measureSoak(notebook: Notebook, rounds: Rounds): Promise<void> {
  for (let pair = 1; pair <= rounds.pairs; pair++) {
    for (const side of rounds.sides) {
      const minutes = await soak(notebook, side, rounds.isQuick)
      noteMinutes(notebook, side, minutes)
    }
  }
}

function noteMinutes(notebook: Notebook, side: Side, minutes: readonly Minute[]): void {
  const [first, last] = [minutes[Math.min(2, minutes.length - 1)]!, minutes.at(-1)!]
  const note = (name: string, unit: string, of: (minute: Minute) => number, target: Target | null = null) => {
    notebook.note(`${name}, first`, unit, side, of(first))
    notebook.note(`${name}, last`, unit, side, of(last), target)
  }
  note('memory', 'MB', ({ memoryMb }) => memoryMb)
  note('answer, median', 'ms', ({ answerMs }) => median(answerMs))
  note('answer, p99', 'ms', ({ answerMs }) => quantile(answerMs, 0.99))
  note('stable, median', 'ms late', ({ stableMs }) => median(stableMs))
  note('stable, p99', 'ms late', ({ stableMs }) => quantile(stableMs, 0.99))
}

async function soak(notebook: Notebook, side: Side, isQuick: boolean): Promise<Minute[]> {
  const toldAtMs = new Map<string, number>()
  const options: ServerOptions = {
    stableAgeSeconds,
    milestones: [],
    onLine: (line, atMs) => {
      const [, id] = /stable ([0-9a-f-]{44})/.exec(line) ?? []
      if (id !== undefined && !toldAtMs.has(id)) toldAtMs.set(id, atMs)
    },
    ...(side === 'OnStable' ? { scripts: tenScripts() } : {}),
  }
  await using server = await startServer(side, options)
  notebook.versions[side] = server.version
  const minuteMs = isQuick ? 8_000 : 60_000
  const minutes: Minute[] = []
  const clients = Array.from({ length: connections }, () => new Client(server.url))
  for (let minute = 1; minute <= (isQuick ? 3 : 10); minute++) {
    const { answerMs, lastAnswerMs } = await sendForAMinute(clients, minuteMs)
    const memoryMb = proportionalMb(server.pid)
    const stableMs = [...lastAnswerMs].flatMap(([study, atMs]) => {
      const told = toldAtMs.get(study)
      return told === undefined ? [] : [told - atMs - stableAgeSeconds * 1_000]
    })
    minutes.push({ memoryMb, answerMs, stableMs })
    const answers = `answers ${shown(median(answerMs))} ms, p99 ${shown(quantile(answerMs, 0.99))} ms`
    const stable = `stable ${shown(median(stableMs))} ms late, p99 ${shown(quantile(stableMs, 0.99))} ms`
    console.error(
      `${side}, minute ${minute}: ${shown(memoryMb)} MB, ${answers}, ${stable} (${stableMs.length} studies)`,
    )
  }
  await Promise.all(clients.map((client) => client.close()))
  await expectAllTold(side, minutes.length * studiesIn(minuteMs), toldAtMs)
  return minutes
}

/** Nothing was lost: every study was told of. */
async function expectAllTold(side: Side, studies: number, told: ReadonlyMap<string, number>): Promise<void> {
  await delay((stableAgeSeconds + 5) * 1_000)
  if (told.size !== studies) throw new Error(`${side} told of ${told.size} of ${studies} studies`)
}

interface Sending {
  readonly answerMs: readonly number[]
  /** When the last instance of a study was answered, by the identifier of the study. */
  readonly lastAnswerMs: ReadonlyMap<string, number>
}

/** At their times, as far as the connections are free: a connection waits for its answer. */
async function sendForAMinute(clients: readonly Client[], minuteMs: number): Promise<Sending> {
  const count = (minuteMs * perSecond) / 1_000
  const studies = studiesIn(minuteMs)
  const run = Date.now()
  const samples = makeSamples({ size: '6 KB', instances: count, studies, seriesPerStudy: 1, run })
  const answerMs: number[] = []
  const lastAnswerMs = new Map<string, number>()
  const startMs = performance.now()
  let next = 0
  await Promise.all(
    clients.map(async (client) => {
      for (let at = next++; at < count; at = next++) {
        await delay(Math.max(0, startMs + (at * 1_000) / perSecond - performance.now()))
        const sentMs = performance.now()
        const study = await upload(client, samples[at]!)
        answerMs.push(performance.now() - sentMs)
        lastAnswerMs.set(study, performance.now())
      }
    }),
  )
  return { answerMs, lastAnswerMs }
}

const studiesIn = (ms: number) => Math.ceil((ms * perSecond) / 1_000 / perStudy)

function tenScripts(): Record<string, string> {
  const say = `console.warn('stable ' + study.id)`
  const all = Array.from({ length: scripts }, (_, at) => {
    const stored = at % 2 === 0 ? 'let stored = 0\nexport function onStoredInstance() { stored += 1 }' : ''
    const stable = `export function onStableStudy(study) { ${at === 0 ? say : `return ${at}`} }`
    return [`script-${at}.js`, `${stored}\n${stable}\n`]
  })
  return Object.fromEntries(all)
}
