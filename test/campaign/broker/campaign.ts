/**
 * A campaign with a RabbitMQ of its own: instances are announced and uploaded, commands are sent twice, servers, broker
 * and database are killed by chance or stand still; afterwards the log is compared with what was sent and published.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { dicomFile, type FileFacts } from '../../support/dicom-files.ts'
import type { OwnPostgres } from '../../support/own-postgres.ts'
import type { OwnRabbitmq } from '../../support/own-rabbitmq.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { idsOf } from '../identifiers.ts'
import { type DatabaseView, readDatabase } from '../observe-database.ts'
import { readPostgres } from '../observe-postgres.ts'
import { randomFrom } from '../random.ts'
import { checkBroker } from './check.ts'
import { type Clients, exchange, openClients, queue } from './clients.ts'
import { announcedOf, type Told } from './told.ts'

export interface BrokerCampaignOptions {
  readonly seed: number
  readonly seconds: number
  readonly nodes: number
  /** An existing folder. */
  readonly data: string
  readonly rabbitmq: OwnRabbitmq
  /** postgres://…; null: one server with a database of its own. */
  readonly store: string | null
  readonly database: Pick<OwnPostgres, 'crash' | 'start'> | null
  readonly main?: string
}

export interface BrokerCampaignResult {
  readonly violations: readonly string[]
  readonly line: string
  readonly told: Told
  /** All that the servers logged. */
  readonly log: string
}

const agesMs = { Patient: 1_000, Study: 1_100, Series: 1_400 }
const idlePatienceMs = 180_000
const studies = 12

export async function runBrokerCampaign(options: BrokerCampaignOptions): Promise<BrokerCampaignResult> {
  const { seed, seconds, rabbitmq } = options
  const random = randomFrom(seed)
  await using clients = openClients(rabbitmq.url)
  await clients.prepare()
  await using parts = new AsyncDisposableStack()
  const servers = await startServers(options, parts)
  const told: Told = {
    agesMs,
    ...{ announced: [], uploaded: [], settled: [], heard: [], ended: [], endedAtMs: [], surprises: [] },
  }
  const untilMs = performance.now() + seconds * 1_000
  const busy = () => performance.now() < untilMs
  const plan = { random, busy, told, clients, servers }
  await Promise.all([
    ...[1, 2, 3].map((lane) => announceFrom(plan, lane)),
    ...[1, 2].map((lane) => uploadFrom(plan, lane)),
    commandFrom(plan),
    makeTrouble(plan, options),
  ])
  await untilQuiet(servers)
  told.heard.push(...(await clients.hear()))
  told.surprises.push(...(await clients.dead()).map((message) => `It was set aside: ${message}`))
  const seen = await read(options)
  for (const server of servers) if (server.hasExited()) told.surprises.push('A server ended by itself')
  const violations = checkBroker(told, seen)
  const log = servers.map((server) => server.stderr()).join('\n')
  return { violations, line: lineOf(seed, told, seen, violations.length), told, log }
}

interface Plan {
  readonly random: () => number
  readonly busy: () => boolean
  readonly told: Told
  readonly clients: Clients
  readonly servers: readonly TestServer[]
}

async function startServers(
  { nodes, store, rabbitmq, data, main }: BrokerCampaignOptions,
  parts: AsyncDisposableStack,
): Promise<TestServer[]> {
  const servers: TestServer[] = []
  const stability = Object.entries(agesMs).map(([level, ageMs]) => ({
    level: level.toLowerCase(),
    stableAge: ageMs / 1_000,
  }))
  for (let n = 1; n <= nodes; n++) {
    const environment = {
      ONSTABLE_STABILITY: JSON.stringify(stability),
      ONSTABLE_RABBITMQ: rabbitmq.url,
      ONSTABLE_RABBITMQ_EXCHANGE: exchange,
      ONSTABLE_RABBITMQ_QUEUE: queue,
      ...(store === null ? {} : { ONSTABLE_STORE: store, ONSTABLE_NODE: `node-${n}` }),
    }
    servers.push(parts.use(await startServer({ data, environment, ...(main === undefined ? {} : { main }) })))
    // The relay begins at the end of the log, and is to have all of it.
    if (n === 1) await until('the queue to be read', async () => (await stateOf(servers[0]!))?.waiting === 0)
  }
  await rabbitmq.restart()
  return servers
}

/** Instances of a few studies, some of them twice, now and then with a pause in which studies become stable. */
async function announceFrom({ random, busy, told, clients }: Plan, lane: number): Promise<void> {
  for (let n = 0; busy(); n++) {
    const study = `B${Math.floor(random() * studies)}`
    const facts: FileFacts = { patient: `P${study}`, study, series: `A${lane}`, instance: `${lane}-${n}` }
    const instance = announcedOf(facts)
    told.announced.push(instance)
    await clients.announce(instance)
    if (random() < 0.05) await clients.announce(instance)
    await sleep(random() < 0.02 ? 1_000 + random() * 2_000 : random() * 60)
  }
}

async function uploadFrom({ random, busy, told, servers }: Plan, lane: number): Promise<void> {
  for (let n = 0; busy(); n++) {
    const study = `H${Math.floor(random() * studies)}`
    const facts = { patient: `P${study}`, study, series: `A${lane}`, instance: `${lane}-${n}` }
    const body = new Uint8Array(dicomFile(facts))
    await until(`an answer about ${study}`, async () => {
      const server = servers[Math.floor(random() * servers.length)]!
      const answer = await fetch(`${server.url}/instances`, { method: 'POST', body }).catch(() => null)
      return answer?.ok
    })
    told.uploaded.push(idsOf(facts))
    await sleep(random() * 150)
  }
}

/** A study of one instance is settled by a command that comes three times, and goes on. */
async function commandFrom({ random, busy, told, clients }: Plan): Promise<void> {
  for (let n = 0; busy(); n++) {
    const study = `C${n}`
    const facts = (instance: string) => ({ patient: `P${study}`, study, series: 'A', instance })
    const [first, second] = [announcedOf(facts('1')), announcedOf(facts('2'))]
    const command = JSON.stringify({
      ...{ specversion: '1.0', id: study, source: '/campaign', type: 'onstable.command.settle' },
      data: { level: 'study', id: first.ids.Study },
    })
    told.announced.push(first, second)
    await clients.announce(first)
    await clients.send(command)
    await clients.announce(second)
    await clients.send(command)
    await clients.send(command)
    told.settled.push(first.ids)
    await sleep(random() * 800)
  }
}

type TroubleKind = 'kill-server' | 'stop-server' | 'kill-broker' | 'stop-database'

async function makeTrouble(
  { random, busy, told, servers }: Plan,
  options: BrokerCampaignOptions,
): Promise<void> {
  const kinds: TroubleKind[] = ['kill-server', 'kill-server', 'stop-server', 'kill-broker']
  if (options.database !== null) kinds.push('stop-database')
  while (busy()) {
    await sleep(500 + random() * 2_000)
    const kind = kinds[Math.floor(random() * kinds.length)]!
    const server = servers[Math.floor(random() * servers.length)]!
    const forMs = random() * 3_500
    told.ended.push(kind)
    told.endedAtMs.push(Date.now())
    await trouble(kind, server, forMs, options)
  }
}

async function trouble(
  kind: TroubleKind,
  server: TestServer,
  forMs: number,
  { rabbitmq, database }: BrokerCampaignOptions,
): Promise<void> {
  switch (kind) {
    case 'kill-server':
      await server.kill()
      await sleep(forMs)
      return startAgain(server)
    case 'stop-server':
      process.kill(server.pid, 'SIGSTOP')
      await sleep(forMs)
      process.kill(server.pid, 'SIGCONT')
      return
    case 'kill-broker':
      await rabbitmq.crash()
      await sleep(forMs)
      return rabbitmq.start()
    case 'stop-database':
      await database?.crash()
      await sleep(forMs)
      await database?.start()
      return
    default:
      return kind satisfies never
  }
}

async function startAgain(server: TestServer): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await server.restart()
    } catch (error) {
      if (tries === 20) throw error
    }
  }
}

interface State {
  published: { behind: number } | null
  received: { inHand: number }
  waiting: number | null
}

const stateOf = async (server: TestServer): Promise<State | null> => {
  const answer = await fetch(`${server.url}/rabbitmq`).catch(() => null)
  return answer?.ok ? ((await answer.json()) as State) : null
}

/** Everything is taken in, stable and published. */
async function untilQuiet(servers: readonly TestServer[]): Promise<void> {
  let quietSince: number | null = null
  await until(
    'everything to be quiet',
    async () => {
      const states = await Promise.all(servers.map(stateOf))
      const windows = await fetch(`${servers[0]!.url}/windows`).then(
        (answer) => answer.json(),
        () => null,
      )
      const isQuiet =
        Array.isArray(windows) &&
        windows.length === 0 &&
        states.every(
          (state) => state?.waiting === 0 && state.received.inHand === 0 && state.published?.behind === 0,
        )
      quietSince = isQuiet ? (quietSince ?? performance.now()) : null
      await sleep(100)
      return quietSince !== null && performance.now() - quietSince > 2_000
    },
    idlePatienceMs,
  )
}

function read({ store, data }: BrokerCampaignOptions): Promise<DatabaseView> | DatabaseView {
  return store === null ? readDatabase(data, []) : readPostgres(store)
}

function lineOf(seed: number, told: Told, { changes }: DatabaseView, violations: number): string {
  const count = (kind: TroubleKind) => told.ended.filter((each) => each === kind).length
  const stable = changes.filter(({ type }) => type.startsWith('Stable')).length
  return (
    `broker campaign: seed ${seed}, ${count('kill-server')} kills of servers, ${count('kill-broker')} of the broker, ` +
    `${count('stop-server')} stops of servers, ${count('stop-database')} of the database, ` +
    `${told.announced.length} instances announced, ${told.uploaded.length} uploaded, ${told.settled.length} commands, ` +
    `${stable} stable events, ${changes.length} changes, ${told.heard.length} messages, ${violations} violations`
  )
}
