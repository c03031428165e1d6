/** Scripts: the version in force, what it wants to be told, how far in the log it has been served, what it remembers. */
import { type ScriptTableRow, scriptRow } from '../script-rows.ts'
import type { KeyValue, KeyValueQuery, ScriptRow, ScriptVersion, Subscription } from '../store.ts'
import type { Session } from './session.ts'

export async function scripts({ connections }: Session): Promise<ScriptRow[]> {
  const rows = await connections.rows<ScriptTableRow>(
    'select * from script s join script_version v on v.hash = s.version order by s.name collate "C"',
  )
  return rows.map(scriptRow)
}

export async function putScript(
  { connections, nowMs }: Session,
  name: string,
  { hash, code, sourceMap }: ScriptVersion,
  subscriptions: readonly Subscription[],
  beatEveryMs: number | null = null,
  concurrency = 1,
): Promise<void> {
  await connections.value(
    'put_script',
    nowMs(),
    name,
    hash,
    code,
    sourceMap,
    JSON.stringify(subscriptions),
    beatEveryMs,
    concurrency,
  )
}

/** What was once in force. */
export async function scriptVersion({ connections }: Session, hash: string): Promise<ScriptVersion | null> {
  const [version] = await connections.rows<ScriptVersion>(
    'select hash, code, source_map as "sourceMap" from script_version where hash = $1',
    [hash],
  )
  return version ?? null
}

export async function parkScript({ connections }: Session, name: string): Promise<void> {
  await connections.rows(`update script set state = 'parked' where name = $1 returning hint('state')`, [name])
}

export function forgetScript({ connections }: Session, name: string): Promise<boolean> {
  return connections.value<boolean>('forget_script', name)
}

export async function suspendScript(
  { connections, nowMs }: Session,
  name: string,
  version: string,
  reason: string,
): Promise<void> {
  await connections.rows(
    `update script set state = 'suspended', suspended_reason = $4, suspended_at = now_ms($1)
     where name = $2 and version = $3 and state = 'active' returning hint('state')`,
    [nowMs(), name, version, reason],
  )
}

export async function resumeScript(
  { connections }: Session,
  name: string,
  mostBehind: number | null = null,
): Promise<void> {
  if (mostBehind !== null) await connections.value('number_pending')
  await connections.rows(
    `update script set state = case when state = 'suspended' then 'active' else state end,
       cursor = case when cursor >= replay_until then greatest(cursor, last_seq() - $2) else cursor end
     where name = $1 returning hint('state')`,
    [name, mostBehind],
  )
}

const pausedKey = 'paused-at'

export async function pause({ connections, nowMs }: Session, name: string | null): Promise<boolean> {
  if (name === null) {
    await connections.rows(
      `insert into meta values ($2, now_ms($1)) on conflict do nothing returning hint('state')`,
      [nowMs(), pausedKey],
    )
    return true
  }
  const paused = await connections.rows(
    `update script set paused_at = coalesce(paused_at, now_ms($1)) where name = $2 returning hint('state')`,
    [nowMs(), name],
  )
  return paused.length > 0
}

export async function unpause({ connections }: Session, name: string | null): Promise<void> {
  if (name === null)
    await connections.rows(`delete from meta where key = $1 returning hint('state')`, [pausedKey])
  else
    await connections.rows(`update script set paused_at = null where name = $1 returning hint('state')`, [
      name,
    ])
}

/** Since when nothing is handed out to any script; null: it is. */
export async function pausedAll({ connections }: Session): Promise<number | null> {
  const [row] = await connections.rows<{ value: string }>('select value from meta where key = $1', [
    pausedKey,
  ])
  return row === undefined ? null : Number(row.value)
}

export async function keyValue(
  { connections }: Session,
  script: string,
  key: string,
): Promise<string | null> {
  const [row] = await connections.rows<{ value: string }>(
    'select value from key_value where script = $1 and key = $2',
    [script, key],
  )
  return row?.value ?? null
}

/** Bytes of all keys and values of a script. */
export async function keyValueBytes({ connections }: Session, script: string): Promise<number> {
  const [row] = await connections.rows<{ bytes: number }>(
    'select memory_bytes as bytes from script where name = $1',
    [script],
  )
  return row?.bytes ?? 0
}

export function keyValueList(
  { connections }: Session,
  script: string,
  { prefix, after, limit, mostBytes }: KeyValueQuery,
): Promise<KeyValue[]> {
  return connections.rows(
    `select key, value from (
       select key, value, sum(octet_length(value)) over (order by key) - octet_length(value) as before from (
         select key, value from key_value
         where script = $1 and key >= $2 and key <= $2 || repeat(chr(1114111), 8) and starts_with(key, $2) and key > $5
         order by key limit $3) k) l
     where before <= $4 order by key`,
    [script, prefix, limit, mostBytes, after],
  )
}
