/** `onstable runs`: what the callbacks did, as it happens and before; and once more. */
import type { Command } from 'commander'
import { z } from 'zod'
import {
  addRunFilters,
  filterOf,
  lineOfRun,
  numberOf,
  type RunFilter,
  run,
  runDetails,
  usualLimit,
} from './run-lines.ts'
import { addReplayCommand } from './runs-replay.ts'
import { addTailCommand } from './runs-tail.ts'
import { adviceOn } from './script-advice.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

type ListOptions = ClientOptions & RunFilter & { readonly limit?: string }

export function addRunsCommand(program: Command, session: Session): void {
  const runs = program.command('runs').description('look at the runs of callbacks, and replay them')
  addRunFilters(
    addClientOptions(runs.command('list').description('print the latest runs that match, newest first')),
  )
    .option('--limit <number>', `at most so many, up to 1,000 (default: ${usualLimit})`)
    .addHelpText('after', '\nExample:\n  $ onstable runs list --outcome threw,timed-out --since 2026-11-26')
    .action((options: ListOptions) => list(session, options))
  addClientOptions(runs.command('show').description('print all that is known of a run'))
    .argument('<id>', 'number of the run')
    .addHelpText('after', '\nExample:\n  $ onstable runs show 12')
    .action((id: string, options: ClientOptions) => show(session, id, options))
  addReplayCommand(runs, session)
  addTailCommand(runs, session)
}

async function list(session: Session, options: ListOptions): Promise<void> {
  const client = clientOf(session, options)
  const answer = await client.get(`/runs?${filterOf(options)}`)
  const found = z.array(run).parse(answer)
  if (options.json) return session.print(JSON.stringify(answer))
  for (const each of found) session.print(lineOfRun(each))
  if (found.length >= Number(options.limit ?? usualLimit))
    session.complain('there may be more: give a higher "--limit", or "--until"')
  // Runs of a script that is gone are there still.
  if (found.length === 0) session.print(`No runs match${await adviceOn(client, options.script)}`)
}

async function show(session: Session, id: string, options: ClientOptions): Promise<void> {
  const answer = await clientOf(session, options).get(`/runs/${numberOf(id)}`)
  if (options.json) return session.print(JSON.stringify(answer))
  for (const line of runDetails(run.parse(answer))) session.print(line)
}
