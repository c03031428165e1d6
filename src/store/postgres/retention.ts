/** How long changes and runs are kept. */
import type {
  LogRetention,
  LogSize,
  Retired,
  RetiredRuns,
  RunRetention,
  RunsSize,
  Straggler,
} from '../store.ts'
import type { Session } from './session.ts'

export async function retireChanges(
  { connections, nowMs }: Session,
  { ageMs, mostBehind, tooMany, after }: LogRetention,
): Promise<Retired> {
  const [retired] = await connections.rows<Retired>('select * from retire_changes($1, $2, $3, $4, $5)', [
    nowMs(),
    ageMs,
    mostBehind,
    tooMany,
    after,
  ])
  return retired!
}

/** Scripts that are served, or could be, and for which the log is not kept any longer. */
export async function stragglers({ connections }: Session, mostBehind: number): Promise<Straggler[]> {
  await connections.value('number_pending')
  return connections.rows<Straggler>(
    `select name, version, last_seq() - cursor as behind from script
     where state = 'active' and cursor >= replay_until and cursor < last_seq() - $1 order by name collate "C"`,
    [mostBehind],
  )
}

export async function retireRuns(
  { connections, nowMs }: Session,
  { okMs, failedMs, tooMany }: RunRetention,
): Promise<RetiredRuns> {
  const [retired] = await connections.rows<RetiredRuns>(
    'select removed, is_over as "isOver" from retire_runs($1, $2, $3, $4)',
    [nowMs(), okMs, failedMs, tooMany],
  )
  return retired!
}

export async function runsSize({ connections }: Session): Promise<RunsSize> {
  const [size] = await connections.rows<RunsSize>('select * from runs_size()', [])
  return size!
}

export async function logSize({ connections }: Session): Promise<LogSize> {
  const [size] = await connections.rows<LogSize>('select * from log_size()', [])
  return size!
}
