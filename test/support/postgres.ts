/** The PostgreSQL server that tests use, where one is found; each test has tables of its own there. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { leaveOut } from './installed.ts'

export const postgresUrl = process.env.ONSTABLE_TEST_POSTGRES ?? 'postgres://root@127.0.0.1:5432/test'

export const hasPostgres = await isThere()

async function isThere(): Promise<boolean> {
  const client = new pg.Client({ connectionString: postgresUrl, connectionTimeoutMillis: 2_000 })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return leaveOut('no PostgreSQL at 127.0.0.1:5432, nor at ONSTABLE_TEST_POSTGRES')
  }
}

/** A name for tables that nobody else uses. */
export const freshSchema = () => `test_${randomUUID().slice(0, 8)}`

/** The address of a schema. */
export const addressOf = (schema: string) => `${postgresUrl}?schema=${schema}`

export async function onPostgres<Result>(
  run: (client: pg.Client) => Promise<Result>,
  url = postgresUrl,
): Promise<Result> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

/** Removes the tables and the functions. */
export async function dropSchema(schema: string, url = postgresUrl): Promise<void> {
  await onPostgres(async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select nspname as name from pg_namespace where nspname = $1 or starts_with(nspname, $1 || '_code_')`,
      [schema],
    )
    await client.query('set client_min_messages = warning')
    for (const { name } of rows) await client.query(`drop schema "${name}" cascade`)
  }, url)
}

/** Makes the tables hold nothing, as when they were made. */
export async function emptySchema(client: pg.Client, schema: string): Promise<void> {
  await client.query(`set search_path = "${schema}"`)
  const tables = ['open_window', 'series_origin', 'instance', 'origin', 'finished', 'run', 'key_value']
  const more = [
    'relay',
    'command',
    'pending_change',
    'change',
    'subject',
    'trash',
    'delivery',
    'script',
    'script_version',
  ]
  for (const table of [...tables, ...more]) await client.query(`delete from ${table}`)
  for (const level of [2, 1, 0]) await client.query('delete from resource where level = $1', [level])
  await client.query(`delete from meta where key not in ('version', 'epoch')`)
  await client.query('update announcement_state set until = 0, caught_up = 0')
  await client.query('delete from log_state')
  await client.query('insert into log_state default values')
}

/** The same, with numbers of rows that begin at 1 again. */
export async function resetSchema(schema: string): Promise<void> {
  await onPostgres(async (client) => {
    await client.query(`set search_path = "${schema}"`)
    const { rows } = await client.query<{ tablename: string }>(
      `select tablename from pg_tables where schemaname = $1 and tablename <> 'meta'`,
      [schema],
    )
    await client.query(`truncate ${rows.map(({ tablename }) => tablename).join()} restart identity`)
    await client.query(`delete from meta where key not in ('version', 'epoch')`)
    await client.query('insert into log_state default values')
    await client.query('insert into announcement_state default values')
  })
}
