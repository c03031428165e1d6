/**
 * Plants a bug in a copy of the engine and lets a campaign find it: what the checker would not notice there, it
 * would not notice here.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startOwnPostgres } from '../support/own-postgres.ts'
import { runCampaign } from './campaign.ts'

interface PlantedBug {
  /** What it breaks, in plain words. */
  readonly breaks: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** It shows where several servers share a PostgreSQL. */
  readonly isOfCluster?: boolean
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const settings = { kills: 3, instances: 150, studies: 12 }
const seeds = [11, 12, 13]

export const plantedBugs: readonly PlantedBug[] = [
  {
    breaks: 'what is acknowledged is recorded',
    file: 'intake/receive.ts',
    from: 'const { recorded } = await takenOrRemoved(arrival, store.accept(arrival))',
    to: 'const recorded = new Promise<void>((resolve) => setTimeout(resolve, 300)).then(async () => (await store.accept(arrival)).recorded)',
  },
  {
    breaks: 'a window is looked at again before it fires',
    file: 'store/sqlite/tick.ts',
    from: 'const quietAt = Math.max(quietAtOf(window), observedAt)',
    to: 'const quietAt = Math.max(window.opened_at + window.age_ms, observedAt)',
  },
  {
    breaks: 'silence is observed anew after a start',
    file: 'store/sqlite/tick.ts',
    from: 'observation.sinceMs = nowMs',
    to: 'observation.sinceMs = 0',
  },
  {
    breaks: 'a parent waits for those below it',
    file: 'store/sqlite/tick.ts',
    from: 'quietAt <= nowMs && below.length === 0',
    to: 'quietAt <= nowMs',
  },
  {
    breaks: 'a change makes one delivery',
    file: 'store/sqlite/follow.ts',
    from: 'insert.run(script.id',
    to: 'for (const _ of row.seq % 3 === 0 ? [1, 2] : [1]) insert.run(script.id',
  },
  {
    breaks: 'the cursor passes nothing that has no delivery',
    file: 'store/sqlite/follow.ts',
    from: 'for (const row of rows) {',
    to: 'for (const row of rows.length > 1 ? rows.slice(0, -1) : rows) {',
  },
  {
    breaks: 'nothing of a key is told past what has not ended',
    file: 'store/sqlite/lease.ts',
    from: 'where d.script = +@script and d.state = 0',
    to: 'where d.script = +@script and d.state = 4 or d.script = +@script and d.state = 0',
  },
  {
    breaks: 'a failed run is tried again',
    file: 'dispatch/tell.ts',
    from: "return { ...settlementOf(lease, 'retry', run), delayMs: next.delayMs }",
    to: "return { ...settlementOf(lease, lease.seq % 2 === 0 ? 'done' : 'retry', run), delayMs: next.delayMs }",
  },
  {
    breaks: 'what is dead is kept',
    file: 'store/sqlite/settle.ts',
    from: "'update delivery set state = ?, lease_until = null, reason = ?, ended_at = ? where id = ?'",
    to: "'delete from delivery where ? = 2 and (? is null or 1) and ? > 0 and id = ?'",
  },
  {
    breaks: 'a failed run leaves nothing in the memory of its script',
    file: 'dispatch/tell.ts',
    from: "return { ...settlementOf(lease, 'retry', run), delayMs: next.delayMs }",
    to: "return { ...settlementOf(lease, 'retry', run), delayMs: next.delayMs, keyValueWrites: histories.at(-1)!.keyValueWrites() }",
  },
  {
    breaks: 'all attempts have one idempotency key',
    file: 'store/sqlite/lease.ts',
    from: 'idempotencyKeyOf(session.epoch, { ...row, script: script.name })',
    to: '`$' + '{idempotencyKeyOf(session.epoch, { ...row, script: script.name })}-$' + '{row.attempt}`',
  },
  {
    breaks: 'the file of a deleted instance goes',
    file: 'store/sqlite/remove.ts',
    from: "session.sql('insert or ignore into trash values (?)').run(file)",
    to: "session.sql('insert or ignore into trash select ? where 0').run(file)",
  },
]

/** In the store on PostgreSQL, which is planted on two servers. */
export const plantedClusterBugs: readonly PlantedBug[] = [
  {
    breaks: 'on PostgreSQL a window is looked at again before it fires',
    file: 'store/postgres/sql/tick.sql',
    from: 'greatest(p_window.last_at + p_window.age_ms, v_observed_at)',
    to: 'greatest(p_window.opened_at + p_window.age_ms, v_observed_at)',
    isOfCluster: true,
  },
  {
    breaks: 'a tick is one statement, not several of the client',
    file: 'store/postgres/windows.ts',
    from: 'export async function tick({ connections, nowMs }: Session): Promise<TickReport> {',
    to: `export async function tick({ connections, nowMs }: Session): Promise<TickReport> {
      const due = 'select resource from open_window where last_at + age_ms <= now_ms($1)'
      const found = await connections.rows<{ resource: number }>(due, [nowMs()])
      await new Promise((resolve) => setTimeout(resolve, 50))
      for (const { resource } of found) {
        const fire = "select lock_log(), fire(now_ms($1), $2, 'quiet'), number_changes() from resource where id = $2"
        await connections.rows(fire, [nowMs(), resource])
      }`,
    isOfCluster: true,
  },
  {
    breaks: 'on PostgreSQL silence is observed anew after an outage',
    file: 'store/postgres/sql/tick.sql',
    from: 'or v_now - s.last_tick_at > c_gap_ms',
    to: 'or false',
    isOfCluster: true,
  },
  {
    breaks: 'on PostgreSQL nothing of a key is told past what has not ended',
    file: 'store/postgres/sql/lease.sql',
    from: 'and (e.state <> 0 or e.attempt > 0))',
    to: 'and e.state = 7)',
    isOfCluster: true,
  },
  {
    breaks: 'the log has its numbers from one at a time',
    file: 'store/postgres/sql/log.sql',
    from: "select pg_try_advisory_xact_lock('log_state'::regclass::oid::bigint)",
    to: 'select true',
    isOfCluster: true,
  },
]

/** How often the place of a bug is in the engine: once, or the bug cannot be planted. */
export function placesOf({ file, from }: PlantedBug): number {
  return readFileSync(join(root, 'src', file), 'utf8').split(from).length - 1
}

export interface Catch {
  readonly bug: string
  /** The first violation that was found; null: none. */
  readonly violation: string | null
}

/** Nothing is planted: what is found in that copy is no proof of anything. */
export const noBug: PlantedBug = { breaks: 'nothing', file: 'main.ts', from: '', to: '' }

/**
 * Runs small campaigns against a copy with that bug, until one finds it. Not each kill hits where it shows.
 * @throws when a campaign cannot be run: that finds no bug
 */
export async function plant({ breaks, file, from, to, isOfCluster = false }: PlantedBug): Promise<Catch> {
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
      const [violation] = await violationsOf(join(copy, 'src/main.ts'), seed, isOfCluster)
      if (violation !== undefined) return { bug: breaks, violation }
    }
    return { bug: breaks, violation: null }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function violationsOf(main: string, seed: number, isOfCluster: boolean): Promise<readonly string[]> {
  await using parts = new AsyncDisposableStack()
  const data = mkdtempSync(join(tmpdir(), 'onstable-planted-'))
  parts.defer(() => rmSync(data, { recursive: true, force: true }))
  const options = { ...settings, seed, data, main, onProgress: () => {} }
  if (!isOfCluster) return (await runCampaign(options)).violations
  const database = parts.use(await startOwnPostgres())
  const store = `${database.url}?schema=planted`
  return (await runCampaign({ ...options, nodes: 2, cluster: { nodes: 2, store, database } })).violations
}
