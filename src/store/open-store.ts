/** Opens the store that the settings ask for. */
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { openPostgres } from './postgres/postgres.ts'
import { openSqlite } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'

export type StoreChoice = Pick<Settings, 'store' | 'data' | 'crashAt'> & {
  /** The name of this server. */
  readonly node: string
  readonly log: Log
}

/** @throws `data-folder`, `newer-database`, `store-away`, `bad-setting` */
export function openStore({ store, data, crashAt, node, log }: StoreChoice): Promise<Store> {
  if (store !== 'sqlite') return openPostgres({ url: store, node })
  return openSqlite({
    folder: data,
    crashAt: crashAt ?? null,
    onBlocked: (reason) => sayBlocked(log, reason),
  })
}

function sayBlocked(log: Log, reason: string | null): void {
  if (reason === null) log.info('Instances are taken again')
  else log.error({ reason }, 'Instances that were taken cannot be indexed: no more are taken until they are')
}
