/**
 * Plants a bug in a copy of the engine and lets a campaign find it: what the checker would not notice there, it
 * would not notice here.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startOwnPostgres } from '../support/own-postgres.ts'
import { startOwnRabbitmq } from '../support/own-rabbitmq.ts'
import { runBrokerCampaign } from './broker/campaign.ts'
import { runCampaign } from './campaign.ts'
import type { PlantedBug, World } from './planted-bugs.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const settings = { kills: 3, instances: 150, studies: 12 }
const seeds = [11, 12, 13]
const brokerSeconds = 30

/** How often the place of a bug is in the engine: once, or the bug cannot be planted. */
export function placesOf({ file, from }: PlantedBug): number {
  return readFileSync(join(root, 'src', file), 'utf8').split(from).length - 1
}

export interface Catch {
  readonly bug: string
  /** The first violation that was found; null: none. */
  readonly violation: string | null
}

/**
 * Runs small campaigns against a copy with that bug, until one finds it. Not each kill hits where it shows.
 * @throws when a campaign cannot be run: that finds no bug
 */
export async function plant({ breaks, file, from, to, world = 'alone' }: PlantedBug): Promise<Catch> {
  // Beside the project, so that what it imports is found.
  mkdirSync(join(root, '.planted'), { recursive: true })
  const copy = mkdtempSync(join(root, '.planted', 'bug-'))
  try {
    // The sandbox's own user has to read it, as in service.
    chmodSync(copy, 0o755)
    for (const name of ['src', 'sandbox', 'package.json'])
      cpSync(join(root, name), join(copy, name), { recursive: true })
    const path = join(copy, 'src', file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      text.replace(from, () => to),
    )
    for (const seed of seeds) {
      const [violation] = await violationsOf(join(copy, 'src/main.ts'), seed, world)
      if (violation !== undefined) return { bug: breaks, violation }
    }
    return { bug: breaks, violation: null }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function violationsOf(main: string, seed: number, world: World): Promise<readonly string[]> {
  await using parts = new AsyncDisposableStack()
  const data = mkdtempSync(join(tmpdir(), 'onstable-planted-'))
  parts.defer(() => rmSync(data, { recursive: true, force: true }))
  const options = { ...settings, seed, data, main, onProgress: () => {} }
  switch (world) {
    case 'alone':
      return (await runCampaign(options)).violations
    case 'cluster': {
      const database = parts.use(await startOwnPostgres())
      const store = `${database.url}?schema=planted`
      return (
        await runCampaign({ ...options, nodes: 2, cluster: { nodes: 2, store, database, lines: null } })
      ).violations
    }
    case 'broker': {
      const rabbitmq = parts.use(await startOwnRabbitmq())
      const alone = { nodes: 1, store: null, database: null }
      return (await runBrokerCampaign({ seed, seconds: brokerSeconds, data, main, rabbitmq, ...alone }))
        .violations
    }
    default:
      return world satisfies never
  }
}
