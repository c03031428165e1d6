/**
 * What scripts remember: JSON text under a key, in a space of each script's own.
 */
import type { KeyValueWrite } from '../store.ts'
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
  prefix: string,
  limit: number,
): { key: string; value: string }[] {
  return session
    .sql(
      'select key, value from key_value where script = @script and substr(key, 1, length(@prefix)) = @prefix order by key limit @limit',
    )
    .all({ script, prefix, limit }) as { key: string; value: string }[]
}

export function writeKeyValues(session: Session, script: string, writes: readonly KeyValueWrite[]): void {
  for (const { key, value } of writes) {
    if (value === null) session.sql('delete from key_value where script = ? and key = ?').run(script, key)
    else session.sql('insert or replace into key_value values (?, ?, ?)').run(script, key, value)
  }
}
