/** `onstable rabbitmq`: the bridge to RabbitMQ. */
import type { Command } from 'commander'
import { z } from 'zod'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

const state = z.object({
  isConnected: z.boolean(),
  isBlocked: z.boolean(),
  refusedSince: z.string().nullable(),
  exchange: z.string().nullable(),
  queue: z.string().nullable(),
  waiting: z.number().nullable(),
  dead: z.number().nullable(),
  isReading: z.boolean(),
  published: z.object({ cursor: z.number(), behind: z.number(), node: z.string().nullable() }).nullable(),
  received: z.object({
    arrivals: z.number(),
    repeated: z.number(),
    commands: z.number(),
    passedOver: z.number(),
    dead: z.number(),
    inHand: z.number(),
  }),
})
type State = z.infer<typeof state>

const replayed = z.object({ Since: z.number(), Until: z.number(), Changes: z.number() })
const requeued = z.object({ Requeued: z.number(), Left: z.number() })

const letters = z.array(z.object({ reason: z.string().nullable(), sizeBytes: z.number(), start: z.string() }))

interface DeadOptions extends ClientOptions {
  readonly limit: string
}

interface ReplayOptions extends ClientOptions {
  readonly seq: string
}

export function addRabbitmqCommand(program: Command, session: Session): void {
  const rabbitmq = program.command('rabbitmq').description('look at the bridge to RabbitMQ; send again')
  addClientOptions(rabbitmq.command('status').description('print how far it is'))
    .addHelpText('after', '\nExample:\n  $ onstable rabbitmq status')
    .action((options: ClientOptions) => status(session, options))
  addClientOptions(rabbitmq.command('dead').description('print messages that were set aside, and why'))
    .option('--limit <number>', 'at most so many, the oldest, up to 100', '20')
    .addHelpText('after', '\nExample:\n  $ onstable rabbitmq dead')
    .action((options: DeadOptions) => printDead(session, options))
  addClientOptions(rabbitmq.command('replay').description('publish all changes since once more'))
    .requiredOption('--seq <number>', 'those after this change')
    .addHelpText('after', '\nExample:\n  $ onstable rabbitmq replay --seq 1200')
    .action((options: ReplayOptions) => replay(session, options))
  addClientOptions(
    rabbitmq.command('requeue').description('put messages that were set aside back into the queue'),
  )
    .addHelpText('after', '\nExample:\n  $ onstable rabbitmq requeue')
    .action((options: ClientOptions) => requeue(session, options))
}

async function status(session: Session, options: ClientOptions): Promise<void> {
  const answer = await clientOf(session, options).get('/rabbitmq')
  if (options.json) return session.print(JSON.stringify(answer))
  const { isConnected, isBlocked, ...facts } = state.parse(answer)
  const does = isBlocked ? 'answers, and takes nothing for now: it lacks memory or disk' : 'answers'
  session.print(`RabbitMQ ${isConnected ? does : 'does not answer'}`)
  session.print(`out: ${outLine(facts)}`)
  session.print(`in:  ${inLine(facts)}`)
}

function outLine({
  exchange,
  published,
  refusedSince,
}: Pick<State, 'exchange' | 'published' | 'refusedSince'>): string {
  if (exchange === null) return 'nothing is published'
  if (published === null) return `exchange ${exchange}, nothing published yet`
  const { cursor, behind, node } = published
  const who = node === null ? 'by nobody now' : `by ${node}`
  const refused =
    refusedSince === null ? '' : `; a queue that is bound to it refuses the next since ${refusedSince}`
  return `exchange ${exchange}, up to change ${cursor} ${who}, ${behind} to go${refused}`
}

function inLine({
  queue,
  waiting,
  dead,
  isReading,
  received,
}: Pick<State, 'queue' | 'waiting' | 'dead' | 'isReading' | 'received'>): string {
  if (queue === null) return 'nothing is taken in'
  const reader = isReading ? 'read by this server' : 'not read by this server'
  const { arrivals, repeated, commands, passedOver, inHand } = received
  const counts = [
    `${waiting ?? '?'} waiting`,
    `${dead ?? '?'} set aside`,
    `${arrivals} instances, ${commands} commands, ${repeated} known already, ${passedOver} of no concern and ${received.dead} set aside by this server`,
    `${inHand} in hand`,
  ]
  return `queue ${queue}, ${reader}: ${counts.join('; ')}`
}

async function printDead(session: Session, options: DeadOptions): Promise<void> {
  const answer = await clientOf(session, options).get(
    `/rabbitmq/dead?limit=${encodeURIComponent(options.limit)}`,
  )
  if (options.json) return session.print(JSON.stringify(answer))
  const found = letters.parse(answer)
  for (const { reason, sizeBytes, start } of found) {
    session.print(reason ?? 'Nobody said why')
    session.print(`  ${sizeBytes} bytes: ${start}`)
  }
  if (found.length === 0) session.print('No messages are set aside')
}

async function replay(session: Session, options: ReplayOptions): Promise<void> {
  const path = `/rabbitmq/replay?seq=${encodeURIComponent(options.seq)}`
  const answer = await clientOf(session, options).post(path)
  if (options.json) return session.print(JSON.stringify(answer))
  const { Since, Until, Changes } = replayed.parse(answer)
  session.print(`${Changes} changes are published once more: after ${Since}, up to ${Until}`)
}

/** The server puts some of them back at a time. Those that are set aside anew meanwhile are not looked at again. */
async function requeue(session: Session, options: ClientOptions): Promise<void> {
  const client = clientOf(session, options)
  let all: number | null = null
  let done = 0
  for (;;) {
    const { Requeued, Left } = requeued.parse(await client.post('/rabbitmq/requeue'))
    all ??= Requeued + Left
    done += Requeued
    if (Requeued === 0 || done >= all) break
  }
  const left = Math.max(0, all - done)
  if (options.json) return session.print(JSON.stringify({ Requeued: done, Left: left }))
  session.print(`${done === 1 ? '1 message is' : `${done} messages are`} back in the queue`)
  if (left > 0) session.print(`${left} cannot be put back: look at them with the tools of RabbitMQ`)
}
