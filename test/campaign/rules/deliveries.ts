/** Every change that a script is owed has ended once, as it had to, and in the order of the log for each key. */
import { familyOf, keyOf } from '../family.ts'
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'
import type { RunRow } from '../observe-database.ts'
import { isRejected, subscriptions } from '../scripts.ts'

type Name = Pick<RunRow, 'script' | 'callback' | 'seq'>

const nameOf = ({ script, callback, seq }: Name) => `${script}:${callback} of change ${seq}`
const isEnd = ({ outcome }: RunRow) => outcome === 'ok' || outcome === 'skipped'

export function checkDeliveries(history: History, { database }: Observation): string[] {
  const violations: string[] = []
  const { changes, runs, deliveries, scripts, lastSeq } = database
  const owed = changes.flatMap(({ seq, type, id }) =>
    Object.entries(subscriptions).flatMap(([script, callbacks]) => {
      const callback = callbacks[type]
      return callback === undefined ? [] : [{ script, callback, seq, id }]
    }),
  )
  const runsOf = Map.groupBy(runs, nameOf)
  const stateOf = new Map(deliveries.map((delivery) => [nameOf(delivery), delivery.state]))
  const deleted = new Set(changes.filter(({ type }) => type.startsWith('Deleted')).map(({ id }) => id))
  for (const delivery of owed) {
    const name = nameOf(delivery)
    const tries = runsOf.get(name) ?? []
    const state = stateOf.get(name) ?? 'ended'
    violations.push(...checkEnd(name, tries, state))
    const isDead = state === 'dead'
    const outcome = tries.at(-1)?.outcome
    if (outcome === 'skipped' && !deleted.has(delivery.id))
      violations.push(`${name} was skipped, and nothing was deleted`)
    if (isDead && !isRejected(delivery.script, delivery.seq)) violations.push(`${name} was set aside`)
    if (outcome === 'ok' && isRejected(delivery.script, delivery.seq))
      violations.push(`${name} ended well, and it always fails`)
  }
  const known = new Set(owed.map(nameOf))
  for (const name of new Set([...runsOf.keys(), ...stateOf.keys()]))
    if (!known.has(name)) violations.push(`${name} was owed to nobody`)
  for (const script of Object.keys(subscriptions)) {
    const cursor = scripts.find(({ name }) => name === script)?.cursor ?? 0
    if (cursor !== lastSeq) violations.push(`${script} has been served up to ${cursor} of ${lastSeq}`)
  }
  return [...violations, ...checkOrder(history, database)]
}

function checkEnd(name: string, tries: readonly RunRow[], state: string): string[] {
  const ends = tries.filter(isEnd).length
  if (state === 'dead')
    return ends > 0 || tries.length === 0 ? [`${name} was set aside, and its runs do not say why`] : []
  if (state !== 'ended') return [`${name} has not ended, it is ${state}`]
  if (ends === 0) return [`${name} never ended`]
  if (ends > 1) return [`${name} ended ${ends} times`]
  return isEnd(tries.at(-1)!) ? [] : [`${name} was run again after it had ended`]
}

/** No run of a change comes after one of a later change with its key: not even a failed one. */
function checkOrder(history: History, { changes, runs }: Observation['database']): string[] {
  const violations: string[] = []
  const family = familyOf(history)
  const members = new Map(changes.map(({ seq, id }) => [seq, family.get(id)]))
  const latest = new Map<string, number>()
  for (const { script, seq } of runs) {
    const member = members.get(seq)
    if (member === undefined) continue
    const key = `${script} for ${keyOf(member)}`
    const last = latest.get(key) ?? 0
    if (seq < last) violations.push(`${key} was told of change ${seq} after ${last}`)
    latest.set(key, Math.max(seq, last))
  }
  return violations
}
