/**
 * Brings the tables up to date, under a lock, and installs this version's functions in a schema of their own: nodes of
 * two versions can work on the same tables while an upgrade is rolled out.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { PoolClient } from 'pg'
import { fault } from '../../errors.ts'
import { Connections } from './connections.ts'

const folder = new URL('./sql/', import.meta.url)
const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8')

/** The steps of the tables, and this version's functions. */
function readSources(): { tables: string[]; functions: string } {
  const names = readdirSync(folder)
  const step = (name: string) => Number(/^tables-(\d+)\.sql$/.exec(name)?.[1] ?? 0)
  const isStep = (name: string) => step(name) > 0
  return {
    tables: names
      .filter(isStep)
      .sort((left, right) => step(left) - step(right))
      .map(textOf),
    functions: names
      .filter((name) => !isStep(name))
      .sort()
      .map(textOf)
      .join('\n'),
  }
}

export interface Installed {
  readonly epoch: string
  /** Where the functions are, then the tables. */
  readonly schemas: readonly [string, string]
}

/**
 * @param schema of the tables
 * @throws `newer-database`
 */
export async function install(url: string, schema: string): Promise<Installed> {
  const { tables, functions } = readSources()
  const code = `${schema}_code_${createHash('sha256').update(functions).digest('hex').slice(0, 8)}`
  const schemas = [code, schema] as const
  const connections = new Connections({ url, schemas, name: 'onstable' })
  try {
    const epoch = await connections.transaction(async (client) => {
      await client.query('select pg_advisory_xact_lock(hashtext($1))', [schema])
      await client.query(`create schema if not exists "${schema}"`)
      await demandUtf8(client)
      await bringUp(client, schema, tables)
      const found = await client.query('select 1 from pg_namespace where nspname = $1', [code])
      if (found.rows.length === 0) {
        await client.query(`create schema "${code}"`)
        // They name each other in any order.
        await client.query('set local check_function_bodies = off')
        await client.query(functions)
      }
      const { rows } = await client.query<{ value: string }>(`select value from meta where key = 'epoch'`)
      return rows[0]!.value
    })
    return { epoch, schemas }
  } finally {
    await connections.close()
  }
}

async function demandUtf8(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('show server_encoding')
  const encoding = rows[0]!.server_encoding
  if (encoding === 'UTF8') return
  throw fault(
    'bad-setting',
    `The database of the setting "store" has the encoding ${encoding}: make one with "create database … encoding 'UTF8' template template0"`,
  )
}

async function bringUp(client: PoolClient, schema: string, steps: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ exists: boolean }>(`select to_regclass($1) is not null as exists`, [
    `"${schema}".meta`,
  ])
  const found = rows[0]!.exists ? await versionOf(client) : 0
  if (found > steps.length) {
    throw fault(
      'newer-database',
      `The database was written by a newer version (its format is ${found}, this one knows ${steps.length}): install that version`,
    )
  }
  // The code's schema, which is first in the path, may not be there yet.
  await client.query(`set local search_path = "${schema}"`)
  for (const step of steps.slice(found)) await client.query(step)
  const keep = `insert into meta values ($1, $2) on conflict (key) do update set value = excluded.value`
  if (found < steps.length) await client.query(keep, ['version', String(steps.length)])
  if (found === 0) await client.query(keep, ['epoch', randomUUID().slice(0, 8)])
  await client.query(`set local search_path to default`)
}

async function versionOf(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ value: string }>(`select value from meta where key = 'version'`)
  return Number(rows[0]?.value ?? 0)
}
