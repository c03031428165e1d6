/** `onstable runs`: what the callbacks did, as it happens and before; and once more. */
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { fault } from '../errors.ts'
import { nearest } from '../lib/nearest.ts'
import { filterOf, lineOfRun, numberOf, type RunFilter, run, runDetails } from './run-lines.ts'
import { addTailCommand } from './runs-tail.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

const replayed = z.object({ replayed: z.number(), waiting: z.number(), gone: z.number() })

type ListOptions = ClientOptions & RunFilter & { readonly limit?: string }
type ReplayOptions = ListOptions & { readonly version?: string }

export function addRunsCommand(program: Command, session: Session): void {
  const runs = program.command('runs').description('look at the runs of callbacks, and replay them')
  addFilters(
    addClientOptions(runs.command('list').description('print the latest runs that match, newest first')),
  )
    .option('--limit <number>', 'at most so many, up to 1,000 (default: 100)')
    .addHelpText('after', '\nExample:\n  $ onstable runs list --outcome threw,timed-out --since 2026-11-26')
    .action((options: ListOptions) => list(session, options))
  addClientOptions(runs.command('show').description('print all that is known of a run'))
    .argument('<id>', 'number of the run')
    .addHelpText('after', '\nExample:\n  $ onstable runs show 12')
    .action((id: string, options: ClientOptions) => show(session, id, options))
  addFilters(
    addClientOptions(
      runs.command('replay').description('tell callbacks once more what these runs were told'),
    ),
  )
    .argument('[ids...]', 'numbers of runs; without them, those that match')
    .option('--limit <number>', 'at most so many, the latest (default: all)')
    .addOption(
      new Option('--version <which>', 'version of the script')
        .choices(['original', 'current'])
        .default('current'),
    )
    .addHelpText('after', '\nExample:\n  $ onstable runs replay --script forward.ts --outcome threw')
    .action((ids: string[], options: ReplayOptions) => replay(session, ids, options))
  addTailCommand(runs, session)
}

function addFilters(command: Command): Command {
  return command
    .option('--script <name>', 'only of this script')
    .option('--callback <name>', 'only of this callback')
    .option('--outcome <outcomes>', 'only with these outcomes, such as "threw,timed-out"')
    .option('--resource <id>', 'only about this resource, or what is below it')
    .option('--patient <PatientID>', 'only about this patient')
    .option('--accession <number>', 'only about the study with this accession number')
    .option('--since <time>', 'only since, such as 2026-11-26T08:00:00Z')
    .option('--until <time>', 'only before')
}

async function list(session: Session, options: ListOptions): Promise<void> {
  const client = clientOf(session, options)
  const answer = await client.get(`/runs?${filterOf(options)}`)
  const found = z.array(run).parse(answer)
  if (options.json) return session.print(JSON.stringify(answer))
  for (const each of found) session.print(lineOfRun(each))
  if (found.length > 0) return
  // Runs of a script that is gone are there still.
  const names = z.array(z.object({ name: z.string() })).parse(await client.get('/scripts'))
  session.print(`No runs match${adviceOn(options.script, names)}`)
}

function adviceOn(script: string | undefined, scripts: readonly { readonly name: string }[]): string {
  const names = scripts.map(({ name }) => name)
  if (script === undefined || names.includes(script)) return ''
  const known = names.length === 0 ? '' : `: did you mean "${nearest(script, names)}"?`
  return `, and there is no script "${script}"${known}`
}

async function show(session: Session, id: string, options: ClientOptions): Promise<void> {
  const answer = await clientOf(session, options).get(`/runs/${numberOf(id)}`)
  if (options.json) return session.print(JSON.stringify(answer))
  for (const line of runDetails(run.parse(answer))) session.print(line)
}

async function replay(session: Session, ids: readonly string[], options: ReplayOptions): Promise<void> {
  const client = clientOf(session, options)
  const filter = filterOf(options)
  if (ids.length > 0 === filter.size > 0) {
    throw fault('bad-request', 'Give either the numbers of runs, or which ones, such as "--outcome threw"')
  }
  const which = ids.length > 0 ? `ids=${ids.map(numberOf)}` : filter
  const total = replayed.parse(await client.post(`/runs/replay?${which}&version=${options.version}`))
  if (options.json) return session.print(JSON.stringify(total))
  session.print(`${total.replayed} to be replayed`)
  if (total.waiting > 0) session.print(`${total.waiting} are waiting to be run already`)
  if (total.gone > 0) session.print(`${total.gone} cannot be: the change or the script is gone`)
}
