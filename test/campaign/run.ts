/** The command of the crash campaign: `npm run campaign -- --seed 7`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Presets, SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { type CuttableLine, mayCutLines, openCuttableLine } from '../support/cuttable-line.ts'
import { startOwnPostgres } from '../support/own-postgres.ts'
import { startOwnRabbitmq } from '../support/own-rabbitmq.ts'
import { dropSchema } from '../support/postgres.ts'
import { runBrokerCampaign } from './broker/campaign.ts'
import { type CampaignResult, runCampaign } from './campaign.ts'
import { fewestInstances } from './cast.ts'
import { type Figures, lineOf, lineOfAll } from './figures.ts'
import type { PlanSettings } from './plan.ts'
import { plant } from './planted.ts'
import { noBug, plantedBrokerBugs, plantedBugs, plantedClusterBugs, type World } from './planted-bugs.ts'
import type { ClusterOptions } from './served.ts'

interface Options {
  readonly seed?: number
  readonly kills: number
  readonly instances: number
  readonly studies: number
  /** How long campaigns follow one another; undefined: one. */
  readonly seconds?: number
  readonly planted?: true
  readonly broker?: true
  readonly nodes: number
  readonly store?: string
  readonly json?: true
}

type RunSettings = PlanSettings & Pick<Options, 'nodes' | 'store'>

const program = new Command('npm run campaign --')
  .description(
    'Kills the server by chance while instances arrive, starts it again, and checks that nothing acknowledged is ' +
      'lost, that each quiet period fires once, and that no file or row is orphaned. In between it and its children ' +
      'stand still or are killed, and scripts hang, fail, are saved and broken.',
  )
  .option('--seed <number>', 'the same seed makes the same plan (default: by chance)', wholeNumber)
  .option('--kills <count>', 'how often the server is killed', wholeNumber, 20)
  .option('--instances <count>', 'how many instances are sent', wholeNumber, 2_000)
  .option('--studies <count>', 'how many studies have to be unstable at once', positiveNumber, 50)
  .option('--seconds <count>', 'repeat with the next seeds until so much time has passed', positiveNumber)
  .option('--nodes <count>', 'so many servers on one PostgreSQL', positiveNumber, 1)
  .option('--store <url>', 'that PostgreSQL (default: one of its own, which is stopped at once now and then)')
  .option(
    '--planted',
    'plant bugs in copies of the server (with --nodes 2, in the store on PostgreSQL; with --broker, in the bridge), and see that each is found',
  )
  .option(
    '--broker',
    'with a RabbitMQ of its own that is killed, too: instances are announced, commands sent, all that is published compared; --seconds is how long (default: 40)',
  )
  .option('--json', 'print the figures and violations as one JSON object')
  .addHelpText(
    'after',
    '\nEach violation is printed on a line of its own, the figures on the last one. The exit code is 1 if there was\n' +
      'any violation, or if the campaign could not do what it was to do; data and logs are kept then.\n\n' +
      'Examples:\n  $ npm run campaign -- --seconds 3600\n  $ npm run campaign -- --seed 7 --kills 5 --instances 300 --studies 20\n' +
      '  $ npm run campaign -- --nodes 4 --seed 7 --seconds 60',
  )
  .action(run)

// Leaving by `exit` lets the server that still runs be ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run({ json, seconds = 0, planted, broker, ...options }: Options): Promise<void> {
  if (planted) return runPlanted(broker ? 'broker' : options.nodes > 1 ? 'cluster' : 'alone')
  if (broker) return runWithBroker({ ...options, seed: options.seed ?? chance(), seconds: seconds || 40 })
  const fewest = fewestInstances(options.studies)
  if (options.instances < fewest)
    throw new Error(`${options.studies} studies need at least ${fewest} instances: raise --instances`)
  const endAtMs = performance.now() + seconds * 1_000
  const all: Figures[] = []
  for (let seed = options.seed ?? chance(); ; seed++) {
    const figures = await runOne({ ...options, seed }, json === true)
    all.push(figures)
    if (process.exitCode !== 0 || performance.now() >= endAtMs) break
  }
  if (all.length > 1) console.log(lineOfAll(all))
}

const chance = () => Math.floor(Math.random() * 1_000_000)

async function runWithBroker(options: RunSettings & { readonly seconds: number }): Promise<void> {
  console.error(`seed ${options.seed}`)
  await using cluster = await clusterOf(options)
  await using rabbitmq = await startOwnRabbitmq()
  const folder = mkdtempSync(join(tmpdir(), 'onstable-campaign-'))
  const { store = null, database = null } = cluster.options ?? {}
  const { seed, seconds, nodes } = options
  process.exitCode = 1
  const result = await runBrokerCampaign({
    seed,
    seconds,
    nodes,
    data: folder,
    rabbitmq,
    store,
    database,
  })
  for (const each of [...result.violations, result.line]) console.log(each)
  if (result.violations.length > 0) {
    writeFileSync(join(folder, 'told.json'), JSON.stringify(result.told))
    writeFileSync(join(folder, 'log.json'), result.log)
    console.error(`the data is in ${folder}`)
    return
  }
  rmSync(folder, { recursive: true })
  process.exitCode = 0
}

/** Each bug with what gave it away. */
async function runPlanted(world: World): Promise<void> {
  const bugs = { alone: plantedBugs, cluster: plantedClusterBugs, broker: plantedBrokerBugs }[world]
  const control = await plant({ ...noBug, world })
  if (control.violation !== null) throw new Error(`Without a bug: ${control.violation}`)
  console.log('nothing: no violation')
  let found = 0
  for (const bug of bugs) {
    const { violation } = await plant(bug)
    if (violation !== null) found++
    console.log(`${bug.breaks}: ${violation ?? 'NOT FOUND'}`)
  }
  console.log(`planted: ${found} of ${bugs.length} bugs were found`)
  process.exitCode = found === bugs.length ? 0 : 1
}

async function runOne(settings: RunSettings, json: boolean): Promise<Figures> {
  console.error(`seed ${settings.seed}`)
  const folder = mkdtempSync(join(tmpdir(), 'onstable-campaign-'))
  process.exitCode = 1
  try {
    const { figures, violations, shortfalls } = await runIn(folder, settings)
    if (violations.length + shortfalls.length === 0) process.exitCode = 0
    if (json) console.log(JSON.stringify({ ...figures, violations, shortfalls }, null, 2))
    else for (const line of [...violations, ...shortfalls, lineOf(figures)]) console.log(line)
    return figures
  } finally {
    if (process.exitCode === 0) rmSync(folder, { recursive: true })
    else console.error(`What is left of it is in ${folder}`)
  }
}

/** Leaves the data, the server's log and what the clients did in the folder. */
async function runIn(folder: string, settings: RunSettings): Promise<CampaignResult> {
  const data = join(folder, 'data')
  mkdirSync(data)
  const bar = startBar(settings.instances)
  const onProgress = (acknowledged: number, kills: number) => bar?.update(acknowledged, { kills })
  await using cluster = await clusterOf(settings)
  const parts = { ...settings, data, onProgress, cluster: cluster.options }
  const result = await runCampaign(parts).finally(() => bar?.stop())
  writeFileSync(join(folder, 'server.log'), result.log)
  writeFileSync(join(folder, 'history.json'), JSON.stringify(result.history))
  writeFileSync(join(folder, 'database.json'), JSON.stringify(result.seen.database))
  return result
}

/** A schema of its own on the server that is named, or a server of its own. */
async function clusterOf({
  nodes,
  store,
}: RunSettings): Promise<AsyncDisposable & { options: ClusterOptions | null }> {
  if (nodes === 1 && store === undefined) return { options: null, async [Symbol.asyncDispose]() {} }
  const schema = `campaign_${Date.now()}`
  if (store !== undefined) {
    const options = { nodes, store: `${store}?schema=${schema}`, database: null, lines: null }
    return { options, [Symbol.asyncDispose]: () => dropSchema(schema, store) }
  }
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await startOwnPostgres())
  const lines: CuttableLine[] = []
  const port = Number(new URL(database.url).port)
  for (let n = 1; n <= nodes && mayCutLines(); n++) lines.push(parts.use(await openCuttableLine(n, port)))
  const options = {
    ...{ nodes, store: `${database.url}?schema=${schema}`, database },
    lines: lines.length > 0 ? lines : null,
  }
  const running = parts.move()
  return { options, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

function startBar(instances: number): SingleBar | null {
  if (!process.stderr.isTTY) return null
  const format = '{bar} {value}/{total} instances, {kills} kills'
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.shades_classic)
  bar.start(instances, 0, { kills: 0 })
  return bar
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('Expected a whole number from 0.')
  return value
}

function positiveNumber(text: string): number {
  if (wholeNumber(text) === 0) throw new InvalidArgumentError('Expected a whole number from 1.')
  return Number(text)
}
