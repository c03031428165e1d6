/** Reads all rows that the checker compares, read-only. */
import { join } from 'node:path'
import Database from 'better-sqlite3'

export interface ChangeRow {
  readonly seq: number
  /** Such as `StableStudy`. */
  readonly type: string
  /** Row of the resource: names one incarnation of it. */
  readonly resource: number
  readonly id: string
  readonly key: string
  readonly at: number
  readonly trigger: string | null
}
export interface InstanceRow {
  readonly id: string
  readonly file: string
  readonly size: number
  readonly receivedAt: number
  readonly series: string
}
export interface ResourceRow {
  readonly row: number
  readonly level: string
  readonly id: string
  /** Identifier of the resource above it; null for patients. */
  readonly parent: string | null
  readonly revision: number
  /** Series only. */
  readonly instances: number
}
export interface RunRow {
  readonly order: number
  readonly script: string
  readonly callback: string
  readonly seq: number
  readonly outcome: string
  readonly endedAt: number
}
export interface DeliveryRow {
  readonly script: string
  readonly callback: string
  readonly seq: number
  readonly state: string
}

export interface DatabaseView {
  readonly changes: readonly ChangeRow[]
  /** The last number that the log gave. */
  readonly lastSeq: number
  readonly instances: readonly InstanceRow[]
  readonly resources: readonly ResourceRow[]
  readonly openWindows: number
  readonly trash: number
  readonly runs: readonly RunRow[]
  /** Those that have not ended, and the dead ones. */
  readonly deliveries: readonly DeliveryRow[]
  readonly scripts: readonly { readonly name: string; readonly cursor: number }[]
  readonly keyValues: readonly { readonly script: string; readonly key: string; readonly value: unknown }[]
  readonly integrity: string
  /** Rows that refer to a row that is not there. */
  readonly danglingRows: number
}

export const levels = ['Patient', 'Study', 'Series', 'Instance']
/** What the numbers in `change.type` mean: part of the file format. */
export const types = [
  ...levels.map((level) => `New${level}`),
  ...['StablePatient', 'StableStudy', 'StableSeries', 'CompletedSeries'],
  ...levels.map((level) => `Deleted${level}`),
]

/** What the numbers in `delivery.state` mean. */
export const states = ['ready', 'leased', 'dead', 'waiting', 'behind']

/**
 * @param data the data folder
 * @param earlierRuns what was read of the runs before: the server drops its oldest ones
 */
export function readDatabase(data: string, earlierRuns: readonly RunRow[] = []): DatabaseView {
  const database = openDatabase(data)
  try {
    const all = <T>(sql: string) => database.prepare(sql).all() as T[]
    const count = (table: string) => all<{ n: number }>(`select count(*) as n from ${table}`)[0]!.n
    return {
      changes: all<Omit<ChangeRow, 'type'> & { type: number }>(
        `select seq, type, resource, public_id as id, key, at, event ->> '$.trigger' as trigger from change order by seq`,
      ).map((row) => ({ ...row, type: types[row.type] ?? `unknown ${row.type}` })),
      lastSeq: all<{ seq: number }>(`select seq from sqlite_sequence where name = 'change'`)[0]?.seq ?? 0,
      instances: all(
        `select i.public_id as id, i.file, i.size_bytes as size, i.received_at as receivedAt, r.public_id as series
         from instance i left join resource r on r.id = i.series`,
      ),
      resources: all<Omit<ResourceRow, 'level'> & { level: number }>(
        `select r.id as row, r.level, r.public_id as id, p.public_id as parent, r.revision, r.instance_count as instances
         from resource r left join resource p on p.id = r.parent`,
      ).map((row) => ({ ...row, level: levels[row.level] ?? '' })),
      openWindows: count('window'),
      trash: count('trash'),
      runs: [...earlierRuns, ...runsAfter(database, earlierRuns.at(-1)?.order ?? 0)],
      deliveries: all<Omit<DeliveryRow, 'state'> & { state: number }>(
        'select s.name as script, d.callback, d.seq, d.state from delivery d left join script s on s.id = d.script',
      ).map((row) => ({ ...row, state: states[row.state] ?? `unknown ${row.state}` })),
      scripts: all('select name, cursor from script'),
      keyValues: all<{ script: string; key: string; value: string }>(
        'select script, key, value from key_value',
      ).map((row) => ({ ...row, value: JSON.parse(row.value) as unknown })),
      integrity: String(database.pragma('integrity_check', { simple: true })),
      danglingRows: (database.pragma('foreign_key_check') as unknown[]).length,
    }
  } finally {
    database.close()
  }
}

/** The runs after those that were read before, in their order. @param data the data folder */
export function readRuns(data: string, earlierRuns: readonly RunRow[]): RunRow[] {
  const database = openDatabase(data)
  try {
    return runsAfter(database, earlierRuns.at(-1)?.order ?? 0)
  } finally {
    database.close()
  }
}

function openDatabase(data: string): Database.Database {
  return new Database(join(data, 'index.sqlite'), { readonly: true, fileMustExist: true })
}

function runsAfter(database: Database.Database, order: number): RunRow[] {
  const statement = database.prepare<[number], RunRow>(
    'select id as "order", script, callback, seq, outcome, ended_at as endedAt from run where id > ? order by id',
  )
  return statement.all(order)
}
