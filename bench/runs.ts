/**
 * What a run in the sandbox costs, from the engine and back: one after the other, over several scripts at once,
 * and the making of an isolate. The runtime is the product's, in this process, without a server around it.
 */
import { packageVersion } from '../src/lib/version.ts'
import { createLog } from '../src/log.ts'
import { type Program, type Runtime, startRuntime } from '../src/runtime/runtime.ts'
import { makeProgram as programOf } from '../test/support/program.ts'
import { isolatedVmVersion, startBare } from './bare.ts'
import { quantile, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import { largeScript } from './large-script.ts'
import type { Notebook } from './report.ts'

export const runsMethod = [
  'The runtime of the server, in this process, with its child process as it is in service: with whatever walls of',
  'the operating system this machine allows. Each run is given an event of 2 KB; the host call is answered at once.',
  '"one after the other" is one script, from the call to the answer. "8 scripts" have eight runs in line each, handed',
  'over ahead as the server does while runs are short.',
  '"isolate" is a script of 20 KB, from handing over its code until it could run; it is unloaded before the next.',
  'Before every measure the same is done unmeasured, and before all of them 30,000 runs of each.',
  '"isolated-vm" is that library in a child process and nothing else: no walls, limits, logs, records or queues.',
]

const scripts = 8
const inLine = 8
const event = JSON.stringify({ level: 'Study', padding: 'x'.repeat(2_000) })
const answer = async () => ({ ok: true, value: '{"Version":"1"}' }) as const

const callbacks = [
  {
    name: 'one host call',
    asks: true,
    source: 'export async function onChange(event, host) { await host.get("/system") }',
    mostMicroseconds: 200,
    leastPerSecond: 8_000,
  },
  {
    name: 'no host call',
    asks: false,
    source: 'export async function onChange() {}',
    mostMicroseconds: null,
    leastPerSecond: null,
  },
]

/**
 * Has a run done in the script of that number, and awaits its end.
 * @param isAhead others of it have not ended: this one may be handed over to begin behind them
 * @returns whether it was begun
 */
type RunOne = (script: number, isAhead: boolean) => Promise<boolean>

/** Every measure in turn, as often as there are rounds. */
export async function measureRuns(notebook: Notebook, { pairs, isQuick }: Rounds): Promise<void> {
  await using runtime = await startRuntime({ log: createLog('silent') })
  using bare = startBare(scripts)
  Object.assign(notebook.versions, { OnStable: packageVersion(), 'isolated-vm': isolatedVmVersion() })
  const counts = isQuick
    ? { warmUp: 300, runs: 300, runsOfAll: 1_600, loads: 4 }
    : { warmUp: 30_000, runs: 3_000, runsOfAll: 30_000, loads: 50 }
  const measures: Measure[] = []
  for (const callback of callbacks) {
    const programs = Array.from({ length: scripts }, () => makeProgram(callback.source))
    for (const program of programs) await runtime.load(program)
    measures.push({
      side: 'OnStable',
      callback,
      runOne: (script, isAhead) => run(runtime, programs[script]!, isAhead),
    })
    const runBare: RunOne = (script) => bare.run(script, event, callback.asks).then(() => true)
    measures.push({ side: 'isolated-vm', callback, runOne: runBare })
  }
  for (const { runOne } of measures) await runAll(scripts, runOne, counts.warmUp)
  for (let round = 1; round <= pairs; round++) {
    const says = (what: string) => console.error(`round ${round}/${pairs}, ${what}`)
    for (const measure of measures) {
      const { side, callback, runOne } = measure
      await runInTurn(runOne, counts.runs)
      says(`${side}, ${callback.name}: ${noteTurns(notebook, measure, await runInTurn(runOne, counts.runs))}`)
      await runAll(scripts, runOne, counts.runsOfAll / 2)
      const perSecond = await runAll(scripts, runOne, counts.runsOfAll)
      says(`${side}, ${callback.name}, 8 scripts: ${notePool(notebook, measure, perSecond)}`)
    }
    await loadInTurn(runtime, counts.loads / 2)
    const took = await loadInTurn(runtime, counts.loads)
    const medianMs = quantile(took, 0.5)
    notebook.note('isolate of 20 KB, median', 'ms', 'OnStable', medianMs, { of: 'value', atMost: 10 })
    says(`isolate: ${shown(medianMs)} ms`)
  }
}

interface Measure {
  readonly side: string
  readonly callback: (typeof callbacks)[number]
  readonly runOne: RunOne
}

function noteTurns(notebook: Notebook, { side, callback }: Measure, took: number[]): string {
  const { name, mostMicroseconds } = callback
  const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)]
  const target = mostMicroseconds === null ? null : ({ of: 'value', atMost: mostMicroseconds } as const)
  notebook.note(`${name}, one after the other, p50`, 'µs', side, p50, target)
  notebook.note(`${name}, one after the other, p99`, 'µs', side, p99)
  return `${shown(p50)} µs, p99 ${shown(p99)} µs`
}

function notePool(notebook: Notebook, { side, callback }: Measure, perSecond: number): string {
  const { name, leastPerSecond } = callback
  const target = leastPerSecond === null ? null : ({ of: 'value', atLeast: leastPerSecond } as const)
  notebook.note(`${name}, 8 scripts`, 'runs/s', side, perSecond, target)
  return `${shown(perSecond)}/s`
}

/** How long each took, in µs. */
async function runInTurn(runOne: RunOne, runs: number): Promise<number[]> {
  const took: number[] = []
  for (let each = 0; each < runs; each++) {
    const startedMs = performance.now()
    await runOne(0, false)
    took.push((performance.now() - startedMs) * 1_000)
  }
  return took
}

/** Runs per second of all scripts together; of each, several are in line all the time. */
export async function runAll(scripts: number, runOne: RunOne, runs: number): Promise<number> {
  let left = runs
  const startedMs = performance.now()
  const lines = Array.from({ length: scripts * inLine }, (_, line) => line % scripts)
  const inHand = Array.from({ length: scripts }, () => 0)
  await Promise.all(
    lines.map(async (script) => {
      while (left-- > 0) {
        const wasBegun = await runOne(script, inHand[script]!++ > 0)
        inHand[script]!--
        if (!wasBegun) left++
      }
    }),
  )
  return (runs * 1_000) / (performance.now() - startedMs)
}

/** How long each took to load, in ms. */
async function loadInTurn(runtime: Runtime, loads: number): Promise<number[]> {
  const took: number[] = []
  for (let each = 0; each < loads; each++) {
    const program = makeProgram(largeScript(each, 'onChange(event) { return judge(event) }'))
    const startedMs = performance.now()
    await runtime.load(program)
    took.push(performance.now() - startedMs)
    await runtime.unload(program.version)
  }
  return took
}

export async function run(runtime: Runtime, { version }: Program, isAhead = false): Promise<boolean> {
  const request = { version, callback: 'onChange', event, answer }
  const result = isAhead ? await runtime.runAhead(request) : await runtime.run(request)
  if (result === null) return false
  if (result.outcome !== 'ok') throw new Error(`A run ended "${result.outcome}": ${result.error?.message}`)
  return true
}

/** With the limits of a script that says nothing. */
export function makeProgram(source: string): Program {
  return programOf(source, { timeoutMs: 30_000, cpuMs: 10_000 }, 'script.js')
}
