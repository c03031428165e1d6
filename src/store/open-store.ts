/** Opens the store that the settings ask for. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Settings } from '../config.ts'
import { isAway, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { PostgresOptions } from './postgres/postgres.ts'
import { openSqlite } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'

export type StoreChoice = Pick<Settings, 'store' | 'data' | 'crashAt'> & {
  /** The name of this server. */
  readonly node: string
  readonly log: Log
}

/** A machine that has just been switched on starts its database, too. */
const mostWaitMs = 60_000
const againMs = 500

/** @throws `data-folder`, `newer-database`, `store-away`, `bad-setting` */
export function openStore({ store, data, crashAt, node, log }: StoreChoice): Promise<Store> {
  if (store !== 'sqlite') return openWhenThere({ url: store, node, onTaken: () => stop(log, node) }, log)
  return openSqlite({
    folder: data,
    crashAt: crashAt ?? null,
    onBlocked: (reason) => sayBlocked(log, reason),
  })
}

async function openWhenThere(options: PostgresOptions, log: Log): Promise<Store> {
  // Whoever has one server only is spared the driver.
  const { openPostgres } = await import('./postgres/postgres.ts')
  const until = performance.now() + mostWaitMs
  for (let tries = 0; ; tries++) {
    try {
      return await openPostgres(options)
    } catch (error) {
      if (!isAway(error) || performance.now() > until) throw error
      if (tries === 0) log.warn({ reason: messageOf(error) }, 'Waiting for the database')
      await wait(againMs)
    }
  }
}

/** As by somebody who stops the server: two of one name would write to one folder. */
function stop(log: Log, node: string): void {
  log.error(
    { node },
    'Another server has taken the name of this one, which stops: give each its own with "--node"',
  )
  process.exitCode = 1
  process.kill(process.pid, 'SIGTERM')
}

function sayBlocked(log: Log, reason: string | null): void {
  if (reason === null) log.info('Instances are taken again')
  else log.error({ reason }, 'Instances that were taken cannot be indexed: no more are taken until they are')
}
