/**
 * One connection with what every operation needs: prepared statements, the time of the current
 * transaction, the crash points. Opens, migrates and checks the database.
 */
import { randomUUID } from 'node:crypto'
import Database from 'better-sqlite3'
import { fault, isSystemError, messageOf } from '../../errors.ts'
import type { ReachPoint } from '../../lib/crash-point.ts'
import { type PersistentClock, persistentClock } from './clock.ts'
import { migrations } from './schema.ts'

export interface Session {
  readonly database: Database.Database
  /** A prepared statement, made once. */
  sql(text: string): Database.Statement<unknown[], unknown>
  /** Whether the commits from now on are synced before they count. */
  setDurable(isDurable: boolean): void
  readonly clock: PersistentClock
  /** The time of the current transaction: everything in it happens at once. */
  nowMs: number
  /** Things to be done if the current transaction, or the operation at work, is undone. */
  readonly onRollback: (() => void)[]
  readonly epoch: string
  readonly reach: ReachPoint
  /** When ticking last happened and from when on silence has been observed; null before the first tick. */
  readonly observation: { lastTickMs: number | null; sinceMs: number }
}

export interface SessionOptions {
  readonly file: string
  readonly readonly: boolean
  readonly reach: ReachPoint
  /** Null: the wall clock, which goes on from the latest time that was shown. */
  readonly clock: (() => number) | null
}

/**
 * Opens a connection; the writing one creates and migrates the database.
 * @throws `newer-database`, `data-folder`
 */
export function openSession({ file, readonly, reach, clock }: SessionOptions): Session {
  const database = openDatabase(file, readonly)
  if (!readonly) prepareDatabase(database, file)
  const statements = new Map<string, Database.Statement<unknown[], unknown>>()
  const sql = (text: string) => {
    let statement = statements.get(text)
    if (statement === undefined) {
      statement = database.prepare<unknown[], unknown>(text)
      statements.set(text, statement)
    }
    return statement
  }
  const epoch = (sql(`select value from meta where key = 'epoch'`).get() as { value: string }).value
  let synced: boolean | null = null
  const setDurable = (wanted: boolean) => {
    if (wanted === synced) return
    database.pragma(`synchronous = ${wanted ? 'full' : 'normal'}`)
    synced = wanted
  }
  const observation = { lastTickMs: null, sinceMs: 0 }
  return {
    database,
    sql,
    setDurable,
    clock: clock === null ? persistentClock(numberIn(sql, 'clock')) : { now: clock, showAtLeast: () => {} },
    nowMs: 0,
    onRollback: [],
    epoch,
    reach,
    observation,
  }
}

type Sql = Session['sql']

/** A number that the store keeps for itself; 0 if it was never written. */
export function numberIn(sql: Sql, key: string): number {
  const row = sql('select value from meta where key = ?').get(key) as { value: number } | undefined
  return row?.value ?? 0
}

export function keepNumber(sql: Sql, key: string, value: number): void {
  sql('insert or replace into meta values (?, ?)').run(key, value)
}

function openDatabase(file: string, readonly: boolean): Database.Database {
  try {
    const database = new Database(file, { readonly, timeout: 5_000 })
    if (!readonly) database.pragma('journal_mode = wal')
    database.pragma('foreign_keys = on')
    // What a savepoint needs to go back to, too: else every transaction of some size makes a file for it.
    database.pragma('temp_store = memory')
    database.pragma('cache_size = -65536')
    // 16 MB: what is written again and again is copied to the database once in that time.
    if (!readonly) database.pragma('wal_autocheckpoint = 4000')
    return database
  } catch (cause) {
    if (isSystemError(cause, 'SQLITE_NOTADB', 'SQLITE_CORRUPT')) {
      throw fault('data-folder', `"${file}" is not a database: restore it, or move it away to start anew`, {
        cause,
      })
    }
    throw fault('data-folder', `Cannot open the database "${file}": ${messageOf(cause)}`, { cause })
  }
}

function prepareDatabase(database: Database.Database, file: string): void {
  const found = database.pragma('user_version', { simple: true }) as number
  if (found > migrations.length) {
    throw fault(
      'newer-database',
      `The database "${file}" was written by a newer version (its format is ${found}, this one knows ${migrations.length}): install that version`,
    )
  }
  database.pragma('synchronous = full')
  database.transaction(() => {
    for (const [index, text] of migrations.entries()) if (index >= found) database.exec(text)
    database.pragma(`user_version = ${migrations.length}`)
    database.prepare(`insert or ignore into meta values ('epoch', ?)`).run(randomUUID().slice(0, 8))
    database.prepare(`insert or ignore into meta values ('hidden', 0)`).run()
  })()
}
