/** Reads all rows of a PostgreSQL that the checker compares. */
import pg from 'pg'
import { type DatabaseView, levels, states, types } from './observe-database.ts'

type Row = Record<string, unknown>

/** @param store postgres://…?schema=… */
export async function readPostgres(store: string): Promise<DatabaseView> {
  const url = new URL(store)
  const schema = url.searchParams.get('schema')
  url.searchParams.delete('schema')
  const client = new pg.Client(url.href)
  await client.connect()
  try {
    await client.query(`set search_path = "${schema}"`)
    await client.query('begin isolation level repeatable read read only')
    const all = async <T>(sql: string) => (await client.query<Row>(sql)).rows.map(numbered) as T[]
    const count = async (table: string) =>
      (await all<{ n: number }>(`select count(*) as n from ${table}`))[0]!.n
    const changes = await all<Row & { type: number; trigger: string | null }>(
      `select seq, type, resource, public_id as id, key, at,
         case when type between 4 and 6 then event::json ->> 'trigger' end as trigger from change order by seq`,
    )
    const unnumbered = await count('pending_change')
    return {
      changes: changes.map((row) => ({ ...row, type: types[row.type] ?? `unknown ${row.type}` })),
      lastSeq: (await all<{ last_seq: number }>('select last_seq from log_state'))[0]!.last_seq,
      instances: await all(
        `select i.public_id as id, i.file, i.size_bytes as size, i.received_at as "receivedAt", r.public_id as series
         from instance i left join resource r on r.id = i.series`,
      ),
      resources: (
        await all<Row & { level: number }>(
          `select r.id as row, r.level, r.public_id as id, p.public_id as parent, r.revision, r.instance_count as instances
           from resource r left join resource p on p.id = r.parent`,
        )
      ).map((row) => ({ ...row, level: levels[row.level] ?? '' })),
      openWindows: await count('open_window'),
      trash: await count('trash'),
      runs: await all(
        'select row_number() over (order by id) as "order", script, callback, seq, outcome, ended_at as "endedAt" from run order by id',
      ),
      deliveries: (
        await all<Row & { state: number }>(
          'select s.name as script, d.callback, d.seq, d.state from delivery d left join script s on s.id = d.script',
        )
      ).map((row) => ({ ...row, state: states[row.state] ?? `unknown ${row.state}` })),
      scripts: await all('select name, cursor from script'),
      keyValues: (
        await all<{ script: string; key: string; value: string }>('select script, key, value from key_value')
      ).map((row) => ({ ...row, value: JSON.parse(row.value) as unknown })),
      integrity: unnumbered === 0 ? 'ok' : `${unnumbered} changes have no number`,
      danglingRows: (
        await all<{ n: number }>(
          'select count(*) as n from open_window w where not exists (select 1 from resource r where r.id = w.resource)',
        )
      )[0]!.n,
    } as unknown as DatabaseView
  } finally {
    await client.end()
  }
}

/** The driver gives large numbers as text. */
function numbered(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'string' && /^-?\d{1,15}$/.test(value) && name !== 'value' ? Number(value) : value,
    ]),
  )
}
