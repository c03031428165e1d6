/** What no program can do without on this machine: a synced write, an insert. */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export interface Limits {
  /** Writes these bytes so often in one go, synced. @returns how often */
  syncedWrite(bytes: Buffer, count: number): number
  /** In one transaction, into a table with an index. */
  inserts(count: number): number
  close(): void
}

export function openLimits(folder: string): Limits {
  const descriptor = openSync(
    join(folder, 'bare'),
    constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC,
  )
  const most = 16 * 1024 * 1024
  writeSync(descriptor, Buffer.alloc(most))
  let at = 0
  const database = new Database(join(folder, 'bare.sqlite'))
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = normal')
  database.exec('create table bare (id integer primary key, name text unique, facts text)')
  const insert = database.prepare('insert into bare (name, facts) values (?, ?)')
  const facts = 'x'.repeat(900)
  let names = 0
  const together = database.transaction((count: number) => {
    for (let each = 0; each < count; each++) insert.run(`bare-${names++}`, facts)
  })
  return {
    syncedWrite(bytes, count) {
      const length = bytes.length * count
      if (at + length > most) at = 0
      writeSync(descriptor, count === 1 ? bytes : Buffer.concat(Array(count).fill(bytes)), 0, length, at)
      at += length
      return count
    },
    inserts(count) {
      together(count)
      return count
    },
    close() {
      closeSync(descriptor)
      database.close()
    },
  }
}
