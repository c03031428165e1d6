/**
 * What scripts remember: JSON text under a key, in a space of each script's own.
 */
import type { KeyValue, KeyValueQuery, KeyValueWrite } from '../store.ts'
import type { Session } from './session.ts'

export function keyValue(session: Session, script: string, key: string): string | null {
  const row = session.sql('select value from key_value where script = ? and key = ?').get(script, key) as
    | { value: string }
    | undefined
  return row?.value ?? null
}

export function keyValueList(
  session: Session,
  script: string,
  { prefix, after, limit, mostBytes }: KeyValueQuery,
): KeyValue[] {
  const rows = session
    .sql(
      `select key, value from key_value where script = @script and key >= @prefix and key <= @end and key > @after
         and substr(key, 1, length(@prefix)) = @prefix
       order by key limit +@limit`,
    )
    .iterate({ script, prefix, end: prefix + '\u{10ffff}'.repeat(8), after, limit }) as Iterable<KeyValue>
  const found: KeyValue[] = []
  let bytes = 0
  for (const row of rows) {
    found.push(row)
    bytes += Buffer.byteLength(row.value)
    if (bytes > mostBytes) break
  }
  return found
}

/** Bytes of all keys and values of a script. */
export function keyValueBytes(session: Session, script: string): number {
  const row = session.sql('select memory_bytes as bytes from script where name = ?').get(script)
  return (row as { bytes: number } | undefined)?.bytes ?? 0
}

export function writeKeyValues(session: Session, script: string, writes: readonly KeyValueWrite[]): void {
  if (writes.length === 0) return
  const held = session.sql('select octet_length(value) as bytes from key_value where script = ? and key = ?')
  let more = 0
  for (const { key, value } of writes) {
    const keyBytes = Buffer.byteLength(key)
    const before = held.get(script, key) as { bytes: number } | undefined
    if (before !== undefined) more -= keyBytes + before.bytes
    if (value !== null) more += keyBytes + Buffer.byteLength(value)
    if (value === null) session.sql('delete from key_value where script = ? and key = ?').run(script, key)
    else session.sql('insert or replace into key_value values (?, ?, ?)').run(script, key, value)
  }
  session.sql('update script set memory_bytes = memory_bytes + ? where name = ?').run(more, script)
}
