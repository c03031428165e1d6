/** Compares what the clients of a broker did with the log of the servers, and with what was published. */

import type { LevelName } from '../identifiers.ts'
import type { ChangeRow, DatabaseView } from '../observe-database.ts'
import type { Told } from './told.ts'

/** Clocks are read in different processes. */
const slackMs = 20

export function checkBroker(told: Told, seen: DatabaseView): string[] {
  return [
    ...told.surprises,
    ...checkRecorded(told, seen),
    ...checkSilence(told, seen),
    ...checkPublished(told, seen),
    ...checkCommands(told),
  ]
}

function checkRecorded({ announced, uploaded }: Told, { changes, openWindows }: DatabaseView): string[] {
  const counts = new Map<string, number>()
  for (const { type, id } of changes) if (type === 'NewInstance') counts.set(id, (counts.get(id) ?? 0) + 1)
  const sent = new Map<string, string>()
  for (const { ids, confirmedAtMs } of announced)
    sent.set(ids.Instance, `announced at ${new Date(confirmedAtMs ?? 0).toISOString()}`)
  for (const { Instance } of uploaded) sent.set(Instance, 'uploaded')
  return [
    ...[...sent].flatMap(([id, how]) =>
      counts.get(id) === 1 ? [] : [`Instance ${id}, ${how}, was recorded ${counts.get(id) ?? 0} times`],
    ),
    ...[...counts.keys()].flatMap((id) =>
      sent.has(id) ? [] : [`Instance ${id} was recorded, and nobody sent it`],
    ),
    ...(openWindows === 0 ? [] : [`${openWindows} windows are open at the end`]),
  ]
}

/** Of each resource: whether what fired had been quiet as far as the broker had been told. */
function checkSilence({ announced, uploaded, agesMs }: Told, { changes }: DatabaseView): string[] {
  const violations: string[] = []
  const recordedAt = new Map(changes.filter(({ type }) => type === 'NewInstance').map((row) => [row.id, row]))
  for (const level of ['Series', 'Study', 'Patient'] as const) {
    const stable = groupBy(
      changes.filter(({ type }) => type === `Stable${level}`),
      ({ id }) => id,
    )
    const of = groupBy(
      [...announced.map((each) => each), ...uploaded.map((ids) => ({ ids, confirmedAtMs: null }))],
      ({ ids }) => ids[level as LevelName],
    )
    for (const [id, instances] of of) {
      const rows = instances.flatMap(({ ids, confirmedAtMs }) => {
        const row = recordedAt.get(ids.Instance)
        return row === undefined ? [] : [{ ...row, confirmedAtMs }]
      })
      let before: ChangeRow | null = null
      for (const event of stable.get(id) ?? []) {
        const news = rows.filter(({ seq }) => seq < event.seq && seq > (before?.seq ?? 0))
        if (news.length === 0) violations.push(`${level} ${id} became stable twice (change ${event.seq})`)
        const lastAtMs = Math.max(...rows.filter(({ seq }) => seq < event.seq).map(({ at }) => at))
        const quietAtMs = lastAtMs + agesMs[level]
        if (event.trigger === 'quiet') {
          if (event.at < quietAtMs - 1)
            violations.push(
              `${level} ${id} became stable ${quietAtMs - event.at} ms early (change ${event.seq})`,
            )
          for (const { id: late, seq, confirmedAtMs } of rows) {
            if (seq < event.seq || confirmedAtMs === null || confirmedAtMs > quietAtMs - slackMs) continue
            violations.push(
              `${level} ${id} became stable (change ${event.seq}) though instance ${late} had been announced ${quietAtMs - confirmedAtMs} ms before the end of its silence`,
            )
          }
        }
        before = event
      }
      const lastNews = Math.max(...rows.map(({ seq }) => seq))
      if ((before?.seq ?? 0) < lastNews) violations.push(`${level} ${id} is not stable at the end`)
    }
  }
  return violations
}

/** Every change, in the order of the log where the first time counts, each under one id. */
function checkPublished({ heard }: Told, { changes, lastSeq }: DatabaseView): string[] {
  const violations: string[] = []
  const bySeq = new Map(changes.map((change) => [change.seq, change]))
  const ids = new Map<number, string>()
  let next = 1
  for (const { seq, type, id, messageId } of heard) {
    if (seq > next) violations.push(`Change ${seq} was published before change ${next}`)
    next = Math.max(next, seq + 1)
    const change = bySeq.get(seq)
    const isIt = change !== undefined && change.id === id && type === publishedTypeOf(change.type)
    if (!isIt) violations.push(`What was published as change ${seq} is another: ${type} ${id}`)
    const known = ids.get(seq)
    if (known !== undefined && known !== messageId)
      violations.push(`Change ${seq} was published under two ids: ${known} and ${messageId}`)
    ids.set(seq, messageId)
  }
  const missing = changes.filter(({ seq }) => !ids.has(seq)).map(({ seq }) => seq)
  if (missing.length > 0)
    violations.push(`${missing.length} of ${lastSeq} changes were not published, the first is ${missing[0]}`)
  return violations
}

const publishedTypeOf = (type: string) => (type.startsWith('Deleted') ? 'Deleted' : type)

function checkCommands({ settled, heard }: Told): string[] {
  return settled.flatMap(({ Study }) => {
    const forced = heard.filter(({ id, trigger }) => id === Study && trigger === 'forced')
    const times = new Set(forced.map(({ seq }) => seq)).size
    return times === 1 ? [] : [`Study ${Study} was settled ${times} times by one command`]
  })
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}
