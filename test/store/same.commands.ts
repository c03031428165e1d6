/** What two stores are told alike: any call that changes something, on a few resources and two scripts. */
import fc from 'fast-check'
import {
  everyChange,
  heldElsewhere,
  type Lease,
  type Store,
  type Subscription,
} from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { wellRun } from '../support/run-records.ts'

/** A store and what its caller holds. */
export interface Side {
  readonly store: Store
  readonly clock: { nowMs: number }
  readonly leases: Lease[]
}

const is = <const Name extends string>(name: Name) => fc.constant(name)
const one = <const Value>(...values: Value[]) => fc.constantFrom(...values)
const script = one('s', 't')
const parentLevel = one('Patient', 'Study', 'Series')
const facts = fc.record({
  patient: one('P', 'Q'),
  study: one('S0', 'S1'),
  series: one('A0', 'A1'),
  instance: one('0', '1', '2', '3', '4'),
})
const age = fc.record({ ageMs: one(200, 500, 1_000, 4_000), maxWaitMs: one(null, null, 700, 300) })
const subscriptions: fc.Arbitrary<Subscription[]> = fc
  .tuple(
    fc.subarray([...everyChange]),
    fc.array(one('study', 'resource', 'none'), { minLength: 12, maxLength: 12 }),
  )
  .map(([types, keys]) => types.map((type, at) => ({ type, callback: `on${type}`, key: keys[at]! })))
const writes = one(
  [],
  [],
  [{ key: 'a', value: '1' }],
  [{ key: 'b%', value: '"ü"' }],
  [{ key: 'b_', value: null }],
  [{ key: '😀', value: '"😀😀"' }],
  [{ key: 'ｚ', value: '2' }],
)

const weighted = <Each>(weight: number, arbitrary: fc.Arbitrary<Each>) => ({ weight, arbitrary })
export const commands = fc.array(
  fc.oneof(
    weighted(
      22,
      fc.record({
        do: is('arrive'),
        all: fc.uniqueArray(facts, {
          minLength: 1,
          maxLength: 4,
          selector: (each) => idOf('Instance', each),
        }),
        place: one(undefined, 1, 2, 3),
        expected: one(undefined, 2, 3),
        whenHeld: one('keep', 'keep', 'replace'),
        age: fc.record({ Patient: age, Study: age, Series: age }),
        isElsewhere: one(false, false, false, false, false, true),
      }),
    ),
    weighted(
      18,
      fc.record({
        do: is('pass'),
        ms: one(50, 300, 700, 1_500, 6_000),
        isTicking: one(true, true, true, false),
      }),
    ),
    weighted(4, fc.record({ do: is('remove'), level: one('Patient', 'Study', 'Series', 'Instance'), facts })),
    weighted(3, fc.record({ do: is('settle by hand'), level: parentLevel, facts })),
    weighted(2, fc.record({ do: is('unsettle'), level: parentLevel, facts, age })),
    weighted(
      14,
      fc.record({
        do: is('lease'),
        wanted: one({ s: 1 }, { s: 3 }, { s: 5, t: 2 }, { t: 4 }),
        ttlMs: one(500, 2_000, 30_000),
      }),
    ),
    weighted(
      16,
      fc.record({
        do: is('settle'),
        which: fc.nat(9),
        count: fc.integer({ min: 1, max: 4 }),
        next: one('done', 'done', 'done', 'done', 'retry', 'dead', 'release'),
        delayMs: one(0, 300, 2_000),
        writes,
      }),
    ),
    weighted(1, fc.record({ do: is('renew'), which: fc.nat(9) })),
    weighted(
      2,
      fc.record({
        do: is('put'),
        script,
        hash: one('h', 'h2'),
        subscriptions,
        everyMs: one(null, 1_000, 5_000),
        concurrency: fc.integer({ min: 1, max: 3 }),
      }),
    ),
    weighted(
      2,
      fc.record({ do: is('hand'), hand: one('pause', 'unpause', 'unpause'), script: one('s', 't', null) }),
    ),
    weighted(
      2,
      fc.record({ do: is('script'), what: one('suspend', 'resume', 'resume', 'park', 'forget'), script }),
    ),
    weighted(3, fc.record({ do: is('replay since'), script, back: fc.nat(14) })),
    weighted(
      2,
      fc.record({ do: is('dead'), what: one('retryDead', 'dropDead'), script: one('s', 't', null) }),
    ),
    weighted(
      2,
      fc.record({
        do: is('retire'),
        ageMs: one(2_000, 10_000),
        mostBehind: one(3, 1_000),
        tooMany: one(0, 2),
      }),
    ),
  ),
  { minLength: 40, maxLength: 60 },
)
type Command = typeof commands extends fc.Arbitrary<(infer Each)[]> ? Each : never
type Place = Parameters<typeof arrivalOf>[0]

const idOf = (level: 'Patient' | 'Study' | 'Series' | 'Instance', place: Place): string =>
  arrivalOf(place).header.ids[level.toLowerCase() as 'patient']

/** Does it on one side. @returns what the store said, in words that both share */
export async function perform(side: Side, command: Command, file: string): Promise<unknown> {
  const { store, leases } = side
  switch (command.do) {
    case 'arrive': {
      const { all, place, expected, whenHeld, age, isElsewhere } = command
      const more = {
        ...{ whenHeld, age },
        ...(place === undefined ? {} : { place }),
        ...(expected === undefined ? {} : { expected }),
      }
      const recorded = await Promise.all(
        all.map((each, at) => {
          const name = isElsewhere ? heldElsewhere : `${file} ${at}`
          return store.record({ ...arrivalOf({ ...each, ...more }), file: name })
        }),
      )
      return recorded.map(({ status }) => status)
    }
    case 'pass':
      return pass(side, command.ms, command.isTicking)
    case 'remove':
      return store.remove(command.level, idOf(command.level, command.facts))
    case 'settle by hand':
      return store.forceStable(command.level, idOf(command.level, command.facts))
    case 'unsettle':
      return store.markUnstable(command.level, idOf(command.level, command.facts), command.age)
    case 'lease': {
      const report = await store.lease(command.wanted, command.ttlMs)
      const fresh = report.leases.toSorted((left, right) => left.script.localeCompare(right.script))
      leases.push(...fresh)
      return { more: report.more, leases: fresh.map(inWords(store)) }
    }
    case 'settle': {
      const said: boolean[] = []
      for (let n = 0; n < command.count && leases.length > 0; n++) {
        const [lease] = leases.splice(command.which % leases.length, 1) as [Lease]
        const { next, delayMs, writes } = command
        const run = {
          ...wellRun,
          outcome: next === 'done' ? ('ok' as const) : ('threw' as const),
          reason: null,
        }
        const { delivery, fence } = lease
        const settlement = { delivery, fence, next, delayMs, keyValueWrites: next === 'done' ? writes : [] }
        said.push(await store.settle({ ...settlement, run: next === 'release' ? null : run }))
      }
      return said
    }
    case 'renew':
      return leases.length === 0 ? null : store.renew([leases[command.which % leases.length]!], 3_000)
    case 'put': {
      const version = { hash: command.hash, code: '', sourceMap: '' }
      return store.putScript(
        command.script,
        version,
        command.subscriptions,
        command.everyMs,
        command.concurrency,
      )
    }
    case 'hand':
      return command.hand === 'pause' ? store.pause(command.script) : store.unpause(command.script)
    case 'script':
      if (command.what === 'suspend') return store.suspendScript(command.script, 'h', 'why')
      if (command.what === 'resume') return store.resumeScript(command.script, 3)
      return command.what === 'park' ? store.parkScript(command.script) : store.forgetScript(command.script)
    case 'replay since': {
      const { last } = await store.changes({ last: true, limit: 1, types: everyChange })
      const seq = Math.max(0, last - command.back)
      return [await store.replayRange(command.script, { seq }), await store.replaySince(command.script, seq)]
    }
    case 'dead':
      return store[command.what](command.script)
    case 'retire': {
      const { ageMs, mostBehind, tooMany } = command
      return store.retireChanges({ ageMs, mostBehind, tooMany, after: 0 })
    }
    default:
      return command satisfies never
  }
}

async function pass({ store, clock }: Side, ms: number, isTicking: boolean): Promise<unknown> {
  const fired: number[] = []
  for (let left = ms; left > 0; ) {
    const step = Math.min(ms > 5_000 ? 1_500 : 100, left)
    left -= step
    clock.nowMs += step
    for (let again = isTicking; again; ) {
      const report = await store.tick()
      fired.push(report.fired)
      again = report.nextCheckInMs === 0
    }
  }
  return fired
}

/** Without what is each store's own: fences, and the epoch in keys. What is gone has nothing to tell. */
const inWords = (store: Store) => (lease: Lease) => {
  const { fence: _, idempotencyKey, event, key, ...same } = lease
  const ofBoth = (text: string) => text.replaceAll(store.epoch, 'epoch')
  return event === null
    ? { ...same, event }
    : { ...same, key, idempotencyKey: ofBoth(idempotencyKey), event: JSON.parse(ofBoth(event)) as unknown }
}
