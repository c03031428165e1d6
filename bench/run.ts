/** The command of the benchmarks: `npm run bench -- ingest --against orthanc`. */
import { existsSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { callbacksMethod, measureCallbacks } from './callbacks.ts'
import { clusterMethod, measureCluster } from './cluster.ts'
import { dispatchMethod, measureDispatch } from './dispatch.ts'
import { hostileMethod, measureHostile } from './hostile.ts'
import { ingestMethod, measureIngest, type Rounds } from './ingest.ts'
import { latenessMethod, measureLateness } from './lateness.ts'
import { measureMemory, memoryMethod } from './memory.ts'
import { orthancProgram, postgresPlugin } from './orthanc-server.ts'
import { drawReport } from './picture.ts'
import { measureReload, reloadMethod } from './reload.ts'
import { describeMachine, Notebook, type Report, readReport } from './report.ts'
import { measureRuns, runsMethod } from './runs.ts'
import { measureScale, scaleMethod } from './scale.ts'
import { sidesOf } from './servers.ts'
import { measureSoak, soakMethod } from './soak.ts'
import { measureSteps, stepsMethod } from './steps.ts'
import { measureSyncs, strace, syncsMethod } from './syncs.ts'
import { printReport } from './table.ts'

interface Options {
  readonly against?: 'orthanc'
  readonly pairs: number
  readonly json?: string
  readonly quick?: true
  readonly only?: readonly number[]
}

interface Part {
  readonly name: string
  readonly does: string
  readonly title: string
  readonly method: readonly string[]
  readonly measure: (notebook: Notebook, rounds: Rounds) => Promise<void>
  /** Whether Orthanc has something like it. */
  readonly isCompared: boolean
  readonly rounds: number
}

const parts: readonly Part[] = [
  {
    name: 'ingest',
    does: 'instances per second, by HTTP and by C-STORE',
    title: 'Ingest',
    method: ingestMethod,
    measure: measureIngest,
    isCompared: true,
    rounds: 9,
  },
  {
    name: 'lateness',
    does: 'how late stable events come',
    title: 'Lateness of stable events',
    method: latenessMethod,
    measure: measureLateness,
    isCompared: true,
    rounds: 9,
  },
  {
    name: 'callbacks',
    does: 'what callbacks cost the ingest, how soon they begin, how many run in a second, what a host call takes',
    title: 'Callbacks',
    method: callbacksMethod,
    measure: measureCallbacks,
    isCompared: true,
    rounds: 9,
  },
  {
    name: 'hostile',
    does: 'what attacks do to others, and how soon they end',
    title: 'Attacks',
    method: hostileMethod,
    measure: measureHostile,
    isCompared: false,
    rounds: 1,
  },
  {
    name: 'memory',
    does: 'whether memory stays where it is over 100,000 runs and 10,000 reloads',
    title: 'Memory',
    method: memoryMethod,
    measure: measureMemory,
    isCompared: false,
    rounds: 1,
  },
  {
    name: 'syncs',
    does: 'syncs per instance, counted with strace',
    title: 'Syncs per instance',
    method: syncsMethod,
    measure: measureSyncs,
    isCompared: true,
    rounds: 9,
  },
  {
    name: 'cluster',
    does: 'several servers on one PostgreSQL: instances per second, lag, a study that is split over them',
    title: 'Several servers on one PostgreSQL',
    method: clusterMethod,
    measure: measureCluster,
    isCompared: true,
    rounds: 3,
  },
  {
    name: 'runs',
    does: 'what a run in the sandbox costs',
    title: 'Runs in the sandbox',
    method: runsMethod,
    measure: measureRuns,
    isCompared: false,
    rounds: 5,
  },
  {
    name: 'reload',
    does: 'how soon a saved script is in force, and whether anything is lost by it',
    title: 'Reloads',
    method: reloadMethod,
    measure: measureReload,
    isCompared: true,
    rounds: 9,
  },
  {
    name: 'scale',
    does: 'what growth costs: of instances held, windows open, scripts, and deliveries that wait',
    title: 'Scale',
    method: scaleMethod,
    measure: measureScale,
    isCompared: false,
    rounds: 1,
  },
  {
    name: 'steps',
    does: 'what each step of the road of an instance takes alone, and what it cannot do without',
    title: 'The steps of the road',
    method: stepsMethod,
    measure: measureSteps,
    isCompared: false,
    rounds: 5,
  },
  {
    name: 'soak',
    does: 'whether memory and answers stay as they are over ten minutes',
    title: 'Ten minutes at 200 instances a second',
    method: soakMethod,
    measure: measureSoak,
    isCompared: true,
    rounds: 1,
  },
  {
    name: 'dispatch',
    does: 'how fast a backlog drains, and what bad scripts do to others',
    title: 'Deliveries',
    method: dispatchMethod,
    measure: measureDispatch,
    isCompared: false,
    rounds: 1,
  },
]

const program = new Command('npm run bench --').description('Measures OnStable, side by side with Orthanc')
for (const part of parts) {
  const command = program.command(part.name).description(part.does)
  if (part.isCompared)
    command.addOption(new Option('--against <server>', 'take turns with a real server').choices(['orthanc']))
  if (part.name === 'hostile' || part.name === 'ingest')
    command.option('--only <numbers...>', 'these of them, by their place from 1', collected)
  command
    .option('--pairs <count>', 'rounds of each side', positiveInteger, part.rounds)
    .option('--json <file>', 'write the figures to a file')
    .option('--quick', 'few of everything: shows that it works, not how fast')
    .action((options: Options) => run(part, options))
}
program
  .command('picture')
  .description('draw the figures of a JSON file as SVG')
  .argument('<json>')
  .argument('<svg>')
  .option('--only <texts...>', 'cases whose names have one of these in them')
  .option('--without <texts...>', 'none whose names have one of these in them')
  .action((json: string, svg: string, { only, without = [] }: { only?: string[]; without?: string[] }) => {
    const report = readReport(json)
    const isIn = (texts: readonly string[], name: string) => texts.some((text) => name.includes(text))
    const cases = report.cases.filter(
      ({ name }) => (only === undefined || isIn(only, name)) && !isIn(without, name),
    )
    writeFileSync(svg, drawReport({ ...report, cases }))
  })

// Each server's folder is removed at the end, by a listener of its own.
process.setMaxListeners(0)
// Leaving by `exit` lets every server that still runs be ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

async function run(part: Part, options: Options): Promise<void> {
  if (options.against === 'orthanc') require(orthancProgram, 'apt-get install orthanc')
  if (options.against === 'orthanc' && part.name === 'cluster')
    require(postgresPlugin, 'apt-get install orthanc-postgresql')
  if (part.name === 'syncs') require(strace, 'apt-get install strace')
  const notebook = new Notebook()
  const rounds = {
    sides: sidesOf(options.against ?? null),
    pairs: options.pairs,
    isQuick: options.quick ?? false,
    only: options.only ?? null,
  }
  await part.measure(notebook, rounds)
  const report: Report = {
    title: part.title,
    takenAt: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    versions: notebook.versions,
    method: [...part.method],
    cases: notebook.cases,
  }
  printReport(report)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
}

function require(path: string, remedy: string): void {
  if (!existsSync(path)) throw new Error(`"${path}" is not installed: ${remedy}`)
}

function collected(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, positiveInteger(text)]
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.')
  return value
}
