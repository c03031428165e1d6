/** `onstable deliveries`: what is owed to callbacks, why it waits, and what to do with what is dead. */
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { fault, messageOf } from '../errors.ts'
import { onOneLine } from '../lib/printable.ts'
import type { RestClient } from './client.ts'
import { lineOfRun, numberOf, run, usualLimit } from './run-lines.ts'
import { adviceOn } from './script-advice.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

interface ListOptions extends ClientOptions {
  readonly script?: string
  readonly state?: string
  readonly after?: string
  readonly limit?: string
}
interface ManyOptions extends ClientOptions {
  readonly script?: string
  readonly allDead?: boolean
}

const delivery = z
  .object({
    id: z.number(),
    script: z.string(),
    callback: z.string(),
    seq: z.number(),
    change: z.string().nullable(),
    resource: z.object({ level: z.string(), id: z.string() }).nullable(),
    state: z.string(),
    attempt: z.number(),
    waitsFor: z.string().nullable(),
    behind: z.number().nullable(),
    runAt: z.string().nullable(),
    diedAt: z.string().nullable(),
    reason: z.object({ message: z.string(), lastBecause: z.string().optional() }).loose().nullable(),
    runs: z.array(run).optional(),
    event: z.unknown().optional(),
  })
  .loose()
type Delivery = z.infer<typeof delivery>

const backlog = z.array(z.object({ script: z.string(), behind: z.number() }))
const changed = z.object({ Changed: z.boolean() })
const counted = z.object({ retried: z.number() }).or(z.object({ dropped: z.number() }))

export function addDeliveriesCommand(program: Command, session: Session): void {
  const deliveries = program
    .command('deliveries')
    .description('look at what is owed to callbacks; retry or drop what is dead')
  addClientOptions(deliveries.command('list').description('print deliveries, and what each waits for'))
    .option('--script <name>', 'only of this script')
    .addOption(new Option('--state <state>', 'only in this state').choices(['waiting', 'leased', 'dead']))
    .option('--limit <number>', `at most so many, up to 1,000 (default: ${usualLimit})`)
    .option('--after <id>', 'only those with higher numbers')
    .addHelpText('after', '\nExample:\n  $ onstable deliveries list --state dead')
    .action((options: ListOptions) => list(session, options))
  addClientOptions(deliveries.command('show').description('print a delivery with what it tells and its runs'))
    .argument('<id>', 'number of the delivery')
    .addHelpText('after', '\nExample:\n  $ onstable deliveries show 12')
    .action((id: string, options: ClientOptions) => show(session, id, options))
  addMany(
    deliveries.command('retry').description('try deliveries now that are dead or wait for their next try'),
  )
    .addHelpText('after', '\nExample:\n  $ onstable deliveries retry --all-dead --script forward.ts')
    .action((ids: string[], options: ManyOptions) => many(session, 'retry', ids, options))
  addMany(deliveries.command('drop').description('forget dead deliveries'))
    .addHelpText('after', '\nExample:\n  $ onstable deliveries drop 12 13')
    .action((ids: string[], options: ManyOptions) => many(session, 'drop', ids, options))
}

function addMany(command: Command): Command {
  return addClientOptions(command)
    .argument('[ids...]', 'numbers of deliveries')
    .option('--all-dead', 'all that are dead')
    .option('--script <name>', 'with "--all-dead": only of this script')
}

async function list(session: Session, options: ListOptions): Promise<void> {
  const query = new URLSearchParams()
  for (const name of ['script', 'state', 'after', 'limit'] as const) {
    if (options[name] !== undefined) query.set(name, options[name])
  }
  const client = clientOf(session, options)
  const answer = await client.get(`/deliveries?${query}`)
  if (options.json) return session.print(JSON.stringify(answer))
  const found = z.array(delivery).parse(answer)
  const behind = await notFollowed(client, options)
  if (found.length + behind.length === 0)
    session.print(`Nothing is owed${await adviceOn(client, options.script)}`)
  for (const each of found) session.print(lineOf(each))
  for (const each of behind)
    session.print(`${each.script}: the last ${each.behind} changes were not looked at for it yet`)
  if (found.length >= Number(options.limit ?? usualLimit))
    session.complain(`there may be more: "--after ${found.at(-1)!.id}" goes on`)
}

/** Scripts for which deliveries are still to be made out of the log. */
async function notFollowed(client: RestClient, options: ListOptions): Promise<z.infer<typeof backlog>> {
  if (options.state !== undefined && options.state !== 'waiting') return []
  const all = backlog.parse(await client.get('/backlog'))
  return all.filter(
    ({ script, behind }) => behind > 0 && (options.script === undefined || script === options.script),
  )
}

async function show(session: Session, id: string, options: ClientOptions): Promise<void> {
  const answer = await clientOf(session, options).get(`/deliveries/${numberOf(id)}`)
  if (options.json) return session.print(JSON.stringify(answer))
  const found = delivery.parse(answer)
  session.print(lineOf(found))
  session.print(`  event  ${JSON.stringify(found.event)}`)
  for (const each of found.runs ?? []) session.print(lineOfRun(each))
}

async function many(
  session: Session,
  what: 'retry' | 'drop',
  ids: readonly string[],
  options: ManyOptions,
): Promise<void> {
  const { allDead = false, script } = options
  if (allDead === ids.length > 0 || (script !== undefined && !allDead)) {
    throw fault(
      'bad-request',
      'Give either the numbers of deliveries, or "--all-dead" with or without "--script"',
    )
  }
  const numbers = new Set(ids.map(numberOf))
  const client = clientOf(session, options)
  let count = 0
  if (allDead) {
    const query = script === undefined ? '' : `?script=${encodeURIComponent(script)}`
    const answer = counted.parse(
      what === 'retry'
        ? await client.post(`/deliveries/dead/retry${query}`)
        : await client.delete(`/deliveries/dead${query}`),
    )
    count = 'retried' in answer ? answer.retried : answer.dropped
  }
  for (const id of numbers) {
    const refusal = await one(client, what, id)
    if (refusal === null) count++
    else {
      session.complain(refusal)
      session.exitCode = 1
    }
  }
  if (options.json) session.print(JSON.stringify({ [what === 'retry' ? 'retried' : 'dropped']: count }))
  else session.print(`${count} ${what === 'retry' ? 'to be tried again' : 'dropped'}`)
}

/** @returns why it was not done; null: it was */
async function one(client: RestClient, what: 'retry' | 'drop', id: number): Promise<string | null> {
  const path = `/deliveries/${id}`
  try {
    const answer = what === 'retry' ? await client.post(`${path}/retry`) : await client.delete(path)
    if (changed.parse(answer).Changed) return null
    return `delivery ${id} is ${what === 'retry' ? 'neither dead nor waiting for its next try' : 'not dead'}`
  } catch (error) {
    // Others of the same command have been done, or still can be.
    return messageOf(error)
  }
}

function lineOf(each: Delivery): string {
  const { id, script, callback, change, resource, reason } = each
  const about = resource === null ? '' : ` of ${resource.level.toLowerCase()} ${resource.id}`
  const last = reason?.lastBecause === undefined ? '' : ` (${reason.lastBecause})`
  const why = reason === null ? '' : `: ${onOneLine(reason.message)}${last}`
  return `${String(id).padStart(7)}  ${stateOf(each).padEnd(9)}  ${script} ${callback}  ${change ?? 'heartbeat'}${about}${triesOf(each)}${why}`
}

function triesOf({ state, attempt }: Delivery): string {
  if (attempt === 0) return ''
  // One in hand may wait behind others there: it is not known to have begun.
  if (state === 'leased') return `, try ${attempt}`
  return `, ${attempt} ${attempt === 1 ? 'try' : 'tries'}`
}

function stateOf({ state, waitsFor, behind, runAt, diedAt }: Delivery): string {
  if (state === 'dead') return `dead since ${diedAt}`
  switch (waitsFor) {
    case null:
      return 'in hand'
    case 'turn':
      return 'waits for its turn'
    case 'key':
      return `waits behind ${behind}`
    case 'backoff':
      return `waits until ${runAt}`
    case 'script':
      return 'waits for its file to come back'
    default:
      return `waits: ${waitsFor}`
  }
}
