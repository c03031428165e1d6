/** `onstable runs replay`: asks which runs that are, and has them told once more, some at a time. */
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { fault, messageOf } from '../errors.ts'
import type { RestClient } from './client.ts'
import { onInterrupt } from './interrupt.ts'
import { startProgress } from './progress.ts'
import { addRunFilters, filterOf, numberOf, type RunFilter } from './run-lines.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

/** Asked for at a time: an address has room for their numbers, and the answer comes within a second. */
const atATime = 500

const counts = z.object({ replayed: z.number(), waiting: z.number(), gone: z.number() })
type Counts = z.infer<typeof counts>
const preview = z.object({ ids: z.array(z.number()) })

type ReplayOptions = ClientOptions &
  RunFilter & { readonly limit?: string; readonly version?: string; readonly preview?: boolean }

export function addReplayCommand(runs: Command, session: Session): void {
  addRunFilters(
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
    .option('--preview', 'only say how many')
    .addHelpText(
      'after',
      '\nExample:\n  $ onstable runs replay --script forward.ts --outcome threw --preview',
    )
    .action((ids: string[], options: ReplayOptions) => replay(session, ids, options))
}

async function replay(session: Session, given: readonly string[], options: ReplayOptions): Promise<void> {
  const client = clientOf(session, options)
  const filter = filterOf(options)
  if (given.length > 0 === filter.size > 0) {
    throw fault('bad-request', 'Give either the numbers of runs, or which ones, such as "--outcome threw"')
  }
  const ids = given.length > 0 ? given.map(numberOf) : await matching(client, filter)
  const isShown = session.isTerminal && options.json !== true
  const how = `version=${options.version!}${options.preview ? '&preview' : ''}`
  const { total, asked, failure } = await replayAll(client, ids, how, isShown)
  if (failure !== null && asked === 0) throw failure
  if (options.json) session.print(JSON.stringify(options.preview ? { ids, ...total } : total))
  else {
    session.print(`${total.replayed} ${options.preview ? 'would be replayed' : 'to be replayed'}`)
    if (total.waiting > 0) session.print(`${total.waiting} are waiting to be run already`)
    if (total.gone > 0)
      session.print(`${total.gone} cannot be: the change or the script is gone, or it was a heartbeat`)
  }
  if (failure === null) return
  session.complain(`${ids.length - asked} of ${ids.length} were not asked for: ${messageOf(failure)}`)
  session.exitCode = 1
}

/** In the order of the log. */
async function matching(client: RestClient, filter: URLSearchParams): Promise<number[]> {
  return preview.parse(await client.post(`/runs/replay?${filter}&preview`)).ids
}

/** Goes on until all are asked for, something fails, or somebody interrupts it. */
async function replayAll(
  client: RestClient,
  ids: readonly number[],
  how: string,
  isShown: boolean,
): Promise<{ total: Counts; asked: number; failure: unknown }> {
  const total = { replayed: 0, waiting: 0, gone: 0 }
  let asked = 0
  let isInterrupted = false
  const stopListening = onInterrupt(() => {
    isInterrupted = true
  })
  const progress = startProgress(ids.length, 'runs', isShown && ids.length > atATime)
  try {
    while (asked < ids.length) {
      if (isInterrupted) return { total, asked, failure: new Error('it was interrupted') }
      const some = ids.slice(asked, asked + atATime)
      const answer = counts.parse(await client.post(`/runs/replay?ids=${some}&${how}`))
      total.replayed += answer.replayed
      total.waiting += answer.waiting
      total.gone += answer.gone
      asked += some.length
      progress.step(some.length)
    }
    return { total, asked, failure: null }
  } catch (failure) {
    return { total, asked, failure }
  } finally {
    progress.stop()
    stopListening()
  }
}
