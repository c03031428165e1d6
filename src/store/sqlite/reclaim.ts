/** Leases whose holder is gone, or silent: what becomes of the deliveries, and of the attempt that was at work. */
import { lostRun, unknownEvent } from '../lost-run.ts'
import { insertRun, type RunOf } from './runs.ts'
import type { Session } from './session.ts'
import { sortOut, stateByTurn } from './turn.ts'

/** At opening: nobody else can hold a lease, the process that did is gone. */
export function reclaimLeases(session: Session): void {
  noteLostRuns(session, null)
  session.sql(giveBackAttempts).run()
  session.sql('update delivery set state = 0, lease_until = null where state = 1').run()
  sortOut(session, null)
}

export function reclaimExpired(session: Session): void {
  const { nowMs } = session
  const { expired } = session
    .sql('select exists (select 1 from delivery where state = 1 and lease_until < ?) as expired')
    .get(nowMs) as { expired: number }
  if (expired === 0) return
  noteLostRuns(session, nowMs)
  session.sql(`${giveBackAttempts} and lease_until < ?`).run(nowMs)
  session
    .sql(`update delivery set state = ${stateByTurn}, lease_until = null where state = 1 and lease_until < ?`)
    .run(nowMs)
}

/** Of a script's leased deliveries only the first of each key can have been run, of as many keys as may be at a time. */
const mayHaveRun = `(
  select id from (
    select script, id, row_number() over (partition by script order by id) as place
    from (select script, min(id) as id from delivery where state = 1 group by script, key)) first
  where place <= (select concurrency from script s where s.id = first.script))`

/** The others get back the attempt of their lease. */
const giveBackAttempts = `update delivery set attempt = attempt - 1 where state = 1 and id not in ${mayHaveRun}`

/** An attempt that may have been at work was one, whatever came of it. @param before leases up to then; null: all */
function noteLostRuns(session: Session, before: number | null): void {
  const lost = session
    .sql(
      `select d.id, s.name, d.callback, d.seq, d.attempt, c.type, c.public_id, c.key as study,
         coalesce(d.version, s.version) as version,
         c.type is not null and d.replay = 0 and d.event is null and coalesce(c.revision, 1) = 1 as is_as_logged
       from delivery d join script s on s.id = d.script left join change c on c.seq = d.seq
       where d.id in ${mayHaveRun} and (@before is null or d.lease_until < @before) order by d.id`,
    )
    .all({ before }) as (RunOf & { version: string; is_as_logged: number })[]
  for (const { version, is_as_logged, ...delivery } of lost) {
    const event = is_as_logged === 1 ? null : unknownEvent
    insertRun(session, delivery, { ...lostRun, version, event })
  }
}
